"""A broker behind a real cache: `edge` keeps answers for a minute, `brief_edge` for a second."""

import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from broker.storage.embedded import EmbeddedEngine
from tests.broker_server import API, BrokerServer, running_broker
from tests.edge.caches import CACHES, Cache, running_cache
from tests.edge.origin import Asked, Origin
from tests.engines import empty, running_engine

PUBLIC_URL = "https://events.example.test"


@dataclass(slots=True)
class Edge:
    """A channel of a broker, read through a cache."""

    cache: Cache
    server: BrokerServer
    origin: Origin
    http: httpx2.AsyncClient
    channel: str
    engine: EmbeddedEngine

    @property
    def events(self) -> str:
        """The path of the channel's events."""
        return f"{API}/channels/{self.channel}/events"

    @property
    def asked(self) -> list[Asked]:
        """The requests for the channel's events that reached the broker."""
        return [each for each in self.origin.asked if each.method != "POST" and self.events in each.target]

    async def get(self, query: str = "", **headers: str) -> httpx2.Response:
        """Poll through the cache."""
        return await self.http.get(self.events + query, headers=headers)

    async def publish(self, *data: Any, **fields: Any) -> list[dict[str, Any]]:
        """Publish to the channel, past the cache."""
        return await self.server.publish(self.channel, *data, **fields)


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """One engine for all tests of this process."""
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture(scope="session")
def listener() -> Iterator[socket.socket]:
    """Where every broker of this process listens, so that the caches need not know which of them it is."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture(scope="session")
def cache_of(listener: socket.socket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Cache]]:
    """The running cache of a name; each is started when it is first asked for."""
    with ExitStack() as stack:
        running: dict[str, Cache] = {}

        def one(name: str) -> Cache:
            if name not in running:
                port = listener.getsockname()[1]
                running[name] = stack.enter_context(running_cache(name, port, tmp_path_factory.mktemp(name)))
            return running[name]

        yield one


@pytest.fixture(params=CACHES)
def cache(request: pytest.FixtureRequest, cache_of: Callable[[str], Cache]) -> Cache:
    """Each of the caches."""
    return cache_of(request.param)


@pytest.fixture
async def edge(
    cache: Cache, listener: socket.socket, shared_engine: EmbeddedEngine, tmp_path: Path
) -> AsyncIterator[Edge]:
    """A public channel whose polls may be kept for a minute."""
    async with opened(cache, listener, shared_engine, tmp_path, poll_interval_s=60) as opened_edge:
        yield opened_edge


@pytest.fixture
async def brief_edge(
    cache: Cache, listener: socket.socket, shared_engine: EmbeddedEngine, tmp_path: Path
) -> AsyncIterator[Edge]:
    """A public channel whose polls may be kept for a second."""
    async with opened(cache, listener, shared_engine, tmp_path, poll_interval_s=1) as opened_edge:
        yield opened_edge


@asynccontextmanager
async def opened(
    cache: Cache, listener: socket.socket, engine: EmbeddedEngine, tmp_path: Path, *, poll_interval_s: int
) -> AsyncIterator[Edge]:
    """A broker behind the cache, with a public channel whose name no test had before (the cache may remember)."""
    empty(engine.url)
    origin = Origin()
    settings: dict[str, dict[str, Any]] = {
        "server": {"trusted_proxies": ["127.0.0.1/32"], "public_url": PUBLIC_URL, "drain_s": 0.2},
        "channels": {"poll_interval_s": poll_interval_s},
    }
    key_file = tmp_path / "signing_key.json"
    async with (
        running_broker(engine.url, key_file, settings, around=origin.around, listener=listener.dup()) as server,
        httpx2.AsyncClient(
            base_url=cache.url,
            trust_env=False,
            timeout=20,
            headers={"Accept-Encoding": "identity"},
            limits=httpx2.Limits(max_connections=None),
        ) as http,
    ):
        channel = f"c{secrets.token_hex(8)}"
        await server.create(channel)
        yield Edge(cache, server, origin, http, channel, engine)
