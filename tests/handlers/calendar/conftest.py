"""Organisations on a broker with a clock that tests move."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import PATIENT, BrokerServer, running_broker
from tests.handlers.calendar.calls import Org, org_of
from tests.receivers import Receiver, receiving

OPEN: dict[str, dict[str, Any]] = {
    "clock": {"mode": "test"},
    "engine": PATIENT,
    "outbound": {"allow": ["127.0.0.0/8"]},
}


@pytest.fixture
async def server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    async with running_broker(engine_url, tmp_path / "signing_key.json", OPEN) as running:
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def acme(server: BrokerServer) -> Org:
    """A program of the organisation acme, with a calendar."""
    org = await org_of(server)
    org.calendar = (await org.make_calendar())["id"]
    return org


@pytest.fixture
async def rival(server: BrokerServer) -> Org:
    """A program of another organisation, with a calendar of its own."""
    org = await org_of(server, "rival")
    org.calendar = (await org.make_calendar())["id"]
    return org
