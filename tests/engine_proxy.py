"""A proxy of the soak before an engine on a unix socket, which is how the tests' engines listen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from soak.proxy import Proxy, serving_proxy


@asynccontextmanager
async def engine_proxy(engine_url: str, folder: Path) -> AsyncIterator[Proxy]:
    """A proxy that listens in the folder until the block ends."""
    path = folder / "proxy.sock"
    path.unlink(missing_ok=True)
    proxy = Proxy(lambda: asyncio.open_unix_connection(unquote(urlsplit(engine_url).path)))
    proxy.url = "unix://" + quote(str(path))
    async with serving_proxy(proxy, await asyncio.start_unix_server(proxy.take, path)):
        yield proxy
