"""A running process for the tests of the hub, and another one beside it."""

from collections.abc import AsyncIterator

import pytest

from broker.channels import ChannelRecord
from tests.live import Live, open_live
from tests.stores import Store, open_store


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
