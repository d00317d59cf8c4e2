"""Organisers on a broker with a media server."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import PATIENT, BrokerServer, running_broker
from tests.handlers.live.calls import SECRET, Organiser, organiser_of

SETTINGS: dict[str, dict[str, Any]] = {
    "clock": {"mode": "test"},
    "engine": PATIENT,
    "live": {"ingest_secret": SECRET, "playback_secret": "a secret of players"},
    "server": {"trusted_proxies": ["127.0.0.1"]},
}


@pytest.fixture
async def server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    async with running_broker(engine_url, tmp_path / "signing_key.json", SETTINGS) as running:
        yield running


@pytest.fixture
async def acme(server: BrokerServer) -> Organiser:
    return await organiser_of(server)


@pytest.fixture
async def rival(server: BrokerServer) -> Organiser:
    return await organiser_of(server, "rival")
