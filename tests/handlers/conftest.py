"""A running broker for the tests of the edge."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import PATIENT, BrokerServer, running_broker

OVERRIDES: dict[str, dict[str, Any]] = {
    "limits": {"connections_per_token": 5},
    "channels": {"trim_interval_s": 0.05},
    "auth": {"token_leeway_s": 0},
    "clock": {"mode": "test"},
    "engine": PATIENT,
}


@pytest.fixture
async def broker_server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A broker with small limits."""
    async with running_broker(engine_url, tmp_path / "signing_key.json", OVERRIDES) as server:
        yield server
