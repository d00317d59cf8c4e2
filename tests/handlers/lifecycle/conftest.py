"""Callers of the lifecycle API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.broker_server import BrokerServer, running_broker
from tests.handlers.lifecycle.calls import Caller, caller_of


@pytest.fixture
async def acme(broker_server: BrokerServer) -> Caller:
    """A program of the tenant acme."""
    return await caller_of(broker_server)


@pytest.fixture
async def rival(broker_server: BrokerServer) -> Caller:
    """A program of another tenant."""
    return await caller_of(broker_server, "rival")


@pytest.fixture
async def second(acme: Caller, engine_url: str, tmp_path: Path) -> AsyncIterator[Caller]:
    """The same program, at another process on the same engine."""
    async with running_broker(engine_url, tmp_path / "signing_key.json", {"clock": {"mode": "test"}}) as server:
        yield Caller(server, acme.tenant, acme.key)
