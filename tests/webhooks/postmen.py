"""Processes that deliver and are killed at a place, and others that go on."""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from broker.scheduler import SchedulerLimits
from broker.storage.deliveries import KIND, Deliveries
from broker.webclient import open_client
from tests.clockwork import worker_of
from tests.killable import ready
from tests.stores import Store
from tests.webhooks.networks import LOOPBACK
from tests.webhooks.postman import LEASE_S, webhooks_on


def postman(url: str, place: str) -> AbstractAsyncContextManager[Process]:
    """A process that delivers up to a place."""
    return ready("tests.webhooks.postman", url, place)


@asynccontextmanager
async def delivering(store: Store) -> AsyncIterator[None]:
    """Another process, which goes on."""
    async with open_client(LOOPBACK, user_agent="t") as client:
        webhooks = webhooks_on(store, client.send)
        limits = SchedulerLimits(lease_s=LEASE_S, look_s=0.1)
        async with worker_of(store, Deliveries(store.engine), {KIND: webhooks.deliver}, limits):
            yield
