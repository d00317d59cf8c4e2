"""The live feed of a cluster: one `Feed` for each primary, each topic with the one that has its slot.

A slot that moves is told by the node (it ends the subscription, or answers MOVED) and seen in the map of slots, which
is asked for each second; then its topics are subscribed at the new node. What was published between is missed, so
whoever listens is told to check them. A topic that comes from a node that is no primary any more comes by a fail-over,
in which the new primary may have less than the old one had told: that is said too.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial

from redis.exceptions import RedisError

from broker.errors import Unavailable
from broker.storage.cluster.nodes import Nodes
from broker.storage.cluster.slots import slot_of_key
from broker.storage.cluster.urls import Address
from broker.storage.connect import answered
from broker.storage.feed import Connected, Feed

LOOK_S = 1.0
AGAIN_S = 0.05

logger = logging.getLogger(__name__)


class ClusterFeed:
    """Topics in, messages out, as `Feed`: one task runs it; `watch` and `unwatch` may be called by any in its loop."""

    def __init__(self, nodes: Nodes, *, reply_timeout_s: float) -> None:
        self._nodes = nodes
        self._reply_timeout_s = reply_timeout_s
        self._on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self._on_connected: Callable[[Connected], None] = lambda _connected: None
        self._feeds: dict[Address, Feed] = {}
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        # Where each wanted topic is subscribed, None while it never was; and which were sent away from there.
        self._homes: dict[str, Address | None] = {}
        self._strays: set[str] = set()
        self._moving: dict[Address, asyncio.Task[None]] = {}
        self._look_wanted = asyncio.Event()

    @property
    def is_live(self) -> bool:
        """Whether messages of all topics come."""
        is_settled = not self._strays and None not in self._homes.values()
        return is_settled and bool(self._feeds) and all(feed.is_live for feed in self._feeds.values())

    def hears(self, topic: str) -> bool:
        """Whether messages of this topic come: its node may be there while another is not."""
        home = self._homes.get(topic)
        return topic not in self._strays and home in self._feeds and self._feeds[home].is_live

    def listen(self, on_message: Callable[[str, bytes], None], on_connected: Callable[[Connected], None]) -> None:
        """Say who takes the messages, and who is told when topics are acknowledged on a new connection or node."""
        self._on_message = on_message
        self._on_connected = on_connected

    async def watch(self, topic: str) -> None:
        """Subscribe, and return when a node has acknowledged it; raises `Unavailable` when none does in time."""
        self._homes.setdefault(topic, None)
        try:
            async with asyncio.timeout(self._reply_timeout_s):
                while not await self._watch(topic):
                    self._look_wanted.set()
                    await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            raise Unavailable("The live feed is not connected", retry_after_s=1) from None

    async def unwatch(self, topic: str) -> None:
        """Stop listening; messages under way may still come."""
        home = self._homes.pop(topic, None)
        self._strays.discard(topic)
        if home in self._feeds:
            await self._feeds[home].unwatch(topic)

    async def run(self) -> None:
        """Keep a feed at each primary and each topic at its own, until cancelled."""
        try:
            while True:
                try:
                    await self._look()
                except Unavailable as refusal:
                    logger.warning("the map of the cluster could not be read: %s", refusal.message)
                except Exception:
                    logger.exception("the feeds of the cluster could not be kept; the next look tries again")
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._look_wanted.wait()
                self._look_wanted.clear()
        finally:
            await self._end()

    async def _watch(self, topic: str) -> bool:
        home = self._homes.get(topic)
        if home is None:
            home = await self._owner(topic)
            if home is None or topic not in self._homes:
                return False
            self._homes[topic] = home
        return topic not in self._strays and await self._feed(home).watch(topic)

    async def _owner(self, topic: str) -> Address | None:
        try:
            await answered(self._nodes.ready())
            return self._nodes.owner(slot_of_key(topic))
        except (RedisError, Unavailable):
            return None

    def _feed(self, address: Address) -> Feed:
        feed = self._feeds.get(address)
        if feed is None:
            strays = partial(self._take_strays, address)
            feed = Feed(self._nodes.url(address), reply_timeout_s=self._reply_timeout_s, on_strays=strays)
            feed.listen(self._hear, partial(self._connected, address))
            self._feeds[address] = feed
            self._tasks[address] = asyncio.create_task(feed.run(), name=f"feed-{address.host}-{address.port}")
        return feed

    def _hear(self, topic: str, payload: bytes) -> None:
        self._on_message(topic, payload)

    def _connected(self, address: Address, connected: Connected) -> None:
        topics = [topic for topic, home in self._homes.items() if home == address]
        self._on_connected(Connected(connected.is_other, topics))

    def _take_strays(self, address: Address, topics: list[str]) -> None:
        self._strays.update(topic for topic in topics if self._homes.get(topic) == address)
        self._look_wanted.set()

    async def _look(self) -> None:
        await answered(self._nodes.refresh())
        primaries = set(self._nodes.primaries)
        for address in primaries:
            self._feed(address)
        moves: dict[Address, list[str]] = defaultdict(list)
        for topic, home in list(self._homes.items()):
            owner = await self._owner(topic)
            if owner and home and (owner != home or topic in self._strays):
                moves[owner].append(topic)
        for owner, topics in moves.items():
            if owner not in self._moving:
                task = asyncio.create_task(self._move(owner, topics, primaries), name=f"feed-move-{owner.port}")
                self._moving[owner] = task
                task.add_done_callback(partial(self._moved, owner))
        await self._drop(self._feeds.keys() - primaries - set(self._homes.values()))

    def _moved(self, owner: Address, task: "asyncio.Task[None]") -> None:
        del self._moving[owner]
        if not task.cancelled() and task.exception() is not None:
            logger.error("topics could not be moved; the next look tries again", exc_info=task.exception())

    async def _move(self, owner: Address, topics: list[str], primaries: Collection[Address]) -> None:
        """Subscribe topics at the primary that has them now, and say so."""
        feed, is_other = self._feed(owner), False
        for topic in topics:
            home = self._homes.get(topic)
            is_other = is_other or (home is not None and home not in primaries)
            if home in self._feeds and home != owner and topic not in self._strays:
                await self._feeds[home].unwatch(topic)
        wanted = [topic for topic in topics if topic in self._homes]
        self._homes |= dict.fromkeys(wanted, owner)
        self._strays.difference_update(wanted)
        try:
            await feed.watch(*wanted)
        except Unavailable:
            # Told of again once it is connected; and doubted, if that takes a while.
            logger.warning("%d topics wait for their new node", len(wanted))
        self._on_connected(Connected(is_other, wanted))

    async def _drop(self, addresses: Iterable[Address | None]) -> None:
        for address in [each for each in addresses if each is not None]:
            del self._feeds[address]
            await _cancel(self._tasks.pop(address))

    async def _end(self) -> None:
        for task in [*self._moving.values(), *self._tasks.values()]:
            await _cancel(task)
        self._feeds.clear()
        self._tasks.clear()
        await self._nodes.close()


async def _cancel(task: "asyncio.Task[None]") -> None:
    # More than once: redis-py loses a cancellation that meets one of its read timeouts.
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.2)
