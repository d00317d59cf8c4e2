"""A running broker for the tests of the edge."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.storage.embedded import EmbeddedEngine
from tests.broker_server import PATIENT, BrokerServer, running_broker
from tests.engines import empty, running_engine

OVERRIDES: dict[str, dict[str, Any]] = {
    "limits": {"connections_per_token": 5},
    "channels": {"trim_interval_s": 0.05},
    "auth": {"token_leeway_s": 0},
    "clock": {"mode": "test"},
    "engine": PATIENT,
}


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
async def broker_server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A broker with small limits."""
    async with running_broker(engine_url, tmp_path / "signing_key.json", OVERRIDES) as server:
        yield server
