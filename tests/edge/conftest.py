"""A broker behind a real cache: `edge` keeps answers for a minute, `brief_edge` for a second."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from broker.storage.embedded import EmbeddedEngine
from tests.edge.caches import CACHES, Cache, running_cache
from tests.edge.edges import Edge, opened


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
