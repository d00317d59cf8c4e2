"""Teams of cuey on a broker that may call receivers of this machine."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import PATIENT, BrokerServer, running_broker
from tests.handlers.cuey.calls import Team, team_of
from tests.receivers import Receiver, receiving

OPEN: dict[str, dict[str, Any]] = {
    "clock": {"mode": "test"},
    "engine": PATIENT,
    "outbound": {"allow": ["127.0.0.0/8"]},
    "cuey": {"timeout_s": 5.0},
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
async def acme(server: BrokerServer, receiver: Receiver) -> Team:
    """A program of the team acme, whose events go to the receiver."""
    team = await team_of(server)
    team.url = receiver.url
    return team


@pytest.fixture
async def rival(server: BrokerServer) -> Team:
    """A program of another team."""
    return await team_of(server, "rival")
