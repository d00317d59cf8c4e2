"""Engines for the tests of the hub, and a running process on one of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from broker.channels import ChannelRecord
from broker.storage.embedded import EmbeddedEngine
from tests.engines import empty, running_engine
from tests.live import Live, open_live
from tests.stores import Store, open_store


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """One engine for all tests of this process."""
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def engine_url(shared_engine: EmbeddedEngine) -> str:
    """The URL of an engine that holds nothing."""
    empty(shared_engine.url)
    return shared_engine.url


@pytest.fixture
async def other(engine_url: str) -> AsyncIterator[Store]:
    """The storage of another process."""
    async with open_store(engine_url) as store:
        yield store


@pytest.fixture
async def channel(other: Store) -> ChannelRecord:
    """A public channel without events, made by another process."""
    return await other.create()


@pytest.fixture
async def live(engine_url: str) -> AsyncIterator[Live]:
    """A running process with short intervals."""
    async with open_live(engine_url) as opened:
        yield opened
