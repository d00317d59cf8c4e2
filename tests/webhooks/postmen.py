"""Processes that deliver and are killed at a place, and others that go on."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from broker.scheduler import SchedulerLimits
from broker.storage.deliveries import KIND, Deliveries
from broker.webclient import open_client
from tests.clockwork import worker_of
from tests.stores import Store
from tests.webhooks.networks import LOOPBACK
from tests.webhooks.postman import LEASE_S, webhooks_on

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def postman(url: str, place: str) -> AsyncIterator[Process]:
    """A process that delivers up to a place."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.webhooks.postman", url, place, cwd=ROOT, stdout=PIPE
    )
    try:
        assert await said(process) == "ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()


@asynccontextmanager
async def delivering(store: Store) -> AsyncIterator[None]:
    """Another process, which goes on."""
    async with open_client(LOOPBACK, user_agent="t") as client:
        webhooks = webhooks_on(store, client.send)
        limits = SchedulerLimits(lease_s=LEASE_S, look_s=0.1)
        async with worker_of(store, Deliveries(store.engine), {KIND: webhooks.deliver}, limits):
            yield
