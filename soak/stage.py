"""What the soak runs on: one engine, two brokers as shipped, and a proxy on every way between them and from clients.

The engine syncs its log on every write (`appendfsync always`), so that killing it may lose nothing that was
acknowledged; with `everysec` it may (docs/decisions/0009). All other settings are the shipped ones, but for the limits
that keep one address and one token from taking everything, as here one client is everything.
"""

import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import free_port
from broker.signing_file import load_or_create
from broker.storage.engine_binary import find_binary
from broker.tokens import MintRequest, mint
from soak.program import Program, is_ready_at, listens
from soak.proxy import Proxy, tcp_proxy

API = "/api/v1"
BROKERS = ("one", "two")
ENVIRON = {
    "TIDEMARK_SERVER__DRAIN_S": "0.5",
    "TIDEMARK_LOG__LEVEL": "warning",
    "TIDEMARK_CHANNELS__RETENTION_EVENTS": "10000000",
    "TIDEMARK_LIMITS__CONNECTIONS_PER_ADDRESS": "100000",
    "TIDEMARK_LIMITS__CONNECTIONS_PER_TOKEN": "100000",
}


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker, the proxy through which its clients come, and the one through which it reaches the engine."""

    program: Program
    clients: Proxy
    engine: Proxy
    port: int

    @property
    def url(self) -> str:
        """Its origin, for clients."""
        return f"http://{self.clients.url}"

    @property
    def socket_url(self) -> str:
        """The same, for WebSockets."""
        return f"ws://{self.clients.url}"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and a token that may do everything."""

    engine: Program
    engine_port: int
    brokers: Sequence[Broker]
    token: str
    folder: Path

    @property
    def headers(self) -> dict[str, str]:
        """The header of the token."""
        return {"Authorization": f"Bearer {self.token}"}


@asynccontextmanager
async def staged(folder: Path, names: Sequence[str] = BROKERS) -> AsyncIterator[Stage]:
    """Start everything in this folder, with brokers of these names; nothing runs when the block ends."""
    key_file = folder / "signing_key.json"
    signing_key = load_or_create(key_file)
    token = mint(MintRequest(("admin",), "soak"), signing_key, now_s=time.time(), audience=None)
    async with AsyncExitStack() as stack:
        engine, engine_port = _engine(folder)
        stack.callback(engine.end)
        await engine.start()
        brokers = []
        for name in names:
            way = await stack.enter_async_context(tcp_proxy(engine_port))
            program, port = _broker(name, folder, key_file, way)
            stack.callback(program.end)
            await program.start()
            brokers.append(Broker(program, await stack.enter_async_context(tcp_proxy(port)), way, port))
        yield Stage(engine, engine_port, brokers, token, folder)


@contextmanager
def folder_for(keep: Path | None) -> Iterator[Path]:
    """The folder to work in: the one to keep, made where it is not there, or one that is gone afterwards."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="tidemark-soak-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _engine(folder: Path) -> tuple[Program, int]:
    port, data = free_port(), folder / "engine"
    data.mkdir(exist_ok=True)
    durable = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
    words = [find_binary("", None).path, "--port", port, "--bind", "127.0.0.1", "--dir", data, *durable]
    return Program("engine", words, folder / "engine.log", listens(port), os.environ), port


def _broker(name: str, folder: Path, key_file: Path, engine: Proxy) -> tuple[Program, int]:
    port = free_port()
    words = [sys.executable, "-P", "-m", "handlers", "serve", "--port", port, "--data", folder / name]
    environ = _without_settings(os.environ) | {
        **ENVIRON,
        "TIDEMARK_ENGINE__URL": f"redis://{engine.url}/0",
        "TIDEMARK_AUTH__SIGNING_KEY_FILE": str(key_file),
    }
    return Program(name, words, folder / f"{name}.log", is_ready_at(port), environ), port


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("TIDEMARK_")}
