"""A feed, and an agent that follows it."""

from collections.abc import AsyncIterator

import pytest

from tests.broker_server import BrokerServer
from tests.handlers.calendar.calls import org_of
from tests.handlers.calendar.imports.feeds import Feed, Follower, feeding, follower_of


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    async with feeding() as served:
        yield served


@pytest.fixture
async def ada(server: BrokerServer) -> Follower:
    return await follower_of(await org_of(server))
