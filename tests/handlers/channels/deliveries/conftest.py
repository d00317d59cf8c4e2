"""A broker that may call receivers of this machine, and a receiver."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.broker_server import BrokerServer, running_broker
from tests.handlers.channels.deliveries.calls import OPEN
from tests.receivers import Receiver, receiving


@pytest.fixture
async def server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A broker that may call receivers of this machine, with a channel."""
    async with running_broker(engine_url, tmp_path / "key.json", OPEN) as running:
        await running.create("news")
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made
