"""A caller of the lifecycle API."""

import pytest

from tests.broker_server import BrokerServer
from tests.handlers.lifecycle.calls import Caller, caller_of


@pytest.fixture
async def acme(broker_server: BrokerServer) -> Caller:
    """A program of the tenant acme."""
    return await caller_of(broker_server)


@pytest.fixture
async def rival(broker_server: BrokerServer) -> Caller:
    """A program of another tenant."""
    return await caller_of(broker_server, "rival")
