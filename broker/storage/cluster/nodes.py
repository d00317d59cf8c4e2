"""The nodes of a cluster: a client for each, and the map of slots, asked again whenever it proves wrong.

The map is a guess that a node corrects by MOVED. A new one is asked for after a MOVED or a lost connection, one at a
time and not more often than `REFRESH_S`, so that a node that is down does not make every call ask.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import ClusterDownError, RedisError
from redis.exceptions import ConnectionError as EngineConnectionError

from broker.storage.cluster.slots import SlotMap, parse_slots
from broker.storage.cluster.urls import Address, ClusterUrl
from broker.storage.losses import is_lost

REFRESH_S = 0.1
FAILED_S = 1.0
"""So much later when no node answered."""

logger = logging.getLogger(__name__)


class Nodes:
    """All that is known of a cluster. `make` makes the client of one node from its URL."""

    def __init__(self, url: ClusterUrl, make: Callable[[str], Redis]) -> None:
        self._url = url
        self._make = make
        self._clients: dict[Address, Redis] = {}
        self._map = SlotMap([], [], [])
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_at = -REFRESH_S

    @property
    def primaries(self) -> list[Address]:
        """The primaries, as far as known."""
        return self._map.primaries

    @property
    def replicas(self) -> list[Address]:
        """The replicas, as far as known."""
        return self._map.replicas

    @property
    def seed(self) -> Address:
        """The first node to ask."""
        return self._url.seeds[0]

    def url(self, address: Address) -> str:
        """The URL of one node."""
        return self._url.node(address)

    def client(self, address: Address) -> Redis:
        """The client of one node. It is kept when the node leaves: closing it could cut a call under way."""
        known = self._clients.get(address)
        if known is None:
            known = self._clients[address] = self._make(self.url(address))
        return known

    async def ready(self) -> None:
        """Have a map; raises redis-py's ConnectionError where no node gives one."""
        if not self._map.owners:
            await self.refresh()

    def owner(self, slot: int | None) -> Address:
        """The primary of a slot, or any; raises redis-py's ClusterDownError where it has none."""
        owner = self._map.primaries[0] if slot is None else self._map.owners[slot]
        if owner is None:
            raise ClusterDownError("CLUSTERDOWN Hash slot not served")
        return owner

    def learn(self, slot: int, owner: Address) -> None:
        """Take a node's word for who has a slot, until the next map."""
        self._map.owners[slot] = owner
        self.suspect()

    def suspect(self, address: Address | None = None) -> None:
        """Ask for a new map soon, last of all the node that gave rise to this."""
        if self._refreshing is None and time.monotonic() - self._refreshed_at >= REFRESH_S:
            self._begin(address)

    async def refresh(self) -> None:
        """Have a new map; raises redis-py's ConnectionError where no node gives one."""
        await asyncio.shield(self._refreshing or self._begin(None))

    async def close(self) -> None:
        """Give all connections back."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])
        for client in self._clients.values():
            await client.aclose(close_connection_pool=True)

    def _begin(self, suspect: Address | None) -> "asyncio.Task[None]":
        self._refreshing = task = asyncio.create_task(self._refresh(suspect), name="cluster-slots")
        task.add_done_callback(self._refreshed)
        return task

    def _refreshed(self, task: "asyncio.Task[None]") -> None:
        self._refreshing = None
        self._refreshed_at = time.monotonic()
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._refreshed_at += FAILED_S
        if isinstance(error, RedisError):
            logger.warning("no node tells who has which slot: %s", error)
        else:
            # Nobody waits for one that was begun on a suspicion.
            logger.error("the map of slots could not be read", exc_info=error)

    async def _refresh(self, suspect: Address | None) -> None:
        # In a random order, so that a node with an old map is not believed twice.
        known = {*self._map.primaries, *self._map.replicas}
        order = [*random.sample(sorted(known), len(known)), *(each for each in self._url.seeds if each not in known)]
        order.sort(key=lambda address: address == suspect)
        failure: Exception | None = None
        for address in order:
            try:
                answer = await self.client(address).execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
                slots = parse_slots(answer, address)
            except Exception as error:
                if not isinstance(error, RedisError) and not is_lost(error):
                    raise
                failure = error
                continue
            if slots.primaries:
                self._map = slots
                return
        raise EngineConnectionError(f"No node of the cluster answers: {failure}") from failure
