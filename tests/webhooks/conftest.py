"""Deliveries without a server: storage on the wheel's engine, the scripts on both engines are in tests/storage."""

from collections.abc import AsyncIterator, Iterator

import pytest

from broker.storage.embedded import EmbeddedEngine
from tests.engines import empty, running_engine
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
async def store(engine_url: str) -> AsyncIterator[Store]:
    """The storage of a process on an engine that holds nothing."""
    async with open_store(engine_url) as opened:
        yield opened
