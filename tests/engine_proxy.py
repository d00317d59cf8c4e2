"""A proxy before an engine that delays answers, swallows everything, or cuts: network faults of reliability.md B."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

CHUNK_BYTES = 65_536


class EngineProxy:
    """Passes bytes on between clients and an engine on a unix socket.

    `delay_s` is the longest an answer is held; order within a connection is kept. While `is_hole` nothing passes and
    nothing is lost: what came meanwhile is passed on afterwards, as by a network that recovers.
    """

    def __init__(self, engine_url: str, path: Path) -> None:
        self.delay_s = 0.0
        self.url = "unix://" + quote(str(path))
        self._engine_path = unquote(urlsplit(engine_url).path)
        self._open_again = asyncio.Event()
        self._open_again.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_hole(self) -> bool:
        """Whether everything is swallowed."""
        return not self._open_again.is_set()

    @is_hole.setter
    def is_hole(self, value: bool) -> None:
        if value:
            self._open_again.clear()
        else:
            self._open_again.set()

    def cut(self) -> None:
        """Reset every connection; new ones are accepted."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def take(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            engine_in, engine_out = await asyncio.open_unix_connection(self._engine_path)
        except OSError:
            client_out.transport.abort()
            self._tasks.discard(task)
            return
        self._writers |= {client_out, engine_out}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(client_in, engine_out, delayed=False))
                group.create_task(self._pass(engine_in, client_out, delayed=True))
        except* OSError:
            pass
        finally:
            for writer in (client_out, engine_out):
                writer.transport.abort()
                self._writers.discard(writer)
            self._tasks.discard(task)

    async def end(self) -> None:
        """Cut, and wait until nothing runs."""
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, delayed: bool) -> None:
        while data := await source.read(CHUNK_BYTES):
            if delayed and self.delay_s:
                await asyncio.sleep(random.uniform(0, self.delay_s))
            await self._open_again.wait()
            sink.write(data)
            await sink.drain()
        raise ConnectionResetError


@asynccontextmanager
async def engine_proxy(engine_url: str, folder: Path) -> AsyncIterator[EngineProxy]:
    """A proxy that listens in the folder until the block ends."""
    path = folder / "proxy.sock"
    path.unlink(missing_ok=True)
    proxy = EngineProxy(engine_url, path)
    server = await asyncio.start_unix_server(proxy.take, path)
    try:
        yield proxy
    finally:
        server.close()
        with suppress(asyncio.CancelledError):
            await proxy.end()
