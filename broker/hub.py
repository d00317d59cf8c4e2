"""The hub: the channels that somebody in this process watches (design section 3, "Live feed").

Feed messages go to their channel; a position check compares what each log says of itself with what arrived, so that a
lost message is found within a second; and a process that the engine does not answer closes its subscriptions rather
than going silently stale.
"""

import asyncio
import random
import time

from broker.channels import ChannelRecord
from broker.counts import HubCounts
from broker.cursors import Start
from broker.errors import NotFound, Refusal, Unavailable
from broker.pages import Types
from broker.storage.channels import NO_CHANNEL, Channels, keys_of
from broker.storage.engine import Engine
from broker.storage.feed import Feed, parse_feed
from broker.storage.log import Log
from broker.subscription import NOT_VOUCHED, CloseReason, Subscription
from broker.watched import HubLimits, Judge, Watched

ACTIVE_S = 10.0
LINGER_S = 30.0
CLOSES_PER_S = 200


class Hub:
    """All watched channels of a process. `hear` and `reconnected` are the feed's callbacks."""

    def __init__(self, engine: Engine, channels: Channels, log: Log, feed: Feed, limits: HubLimits) -> None:
        self._engine = engine
        self._channels = channels
        self._log = log
        self._feed = feed
        self._limits = limits
        self.counts = HubCounts()
        self._watched: dict[str, Watched] = {}
        self._opening: dict[str, asyncio.Task[Watched]] = {}
        self._answered_at = time.monotonic()
        feed.listen(self.hear, self.reconnected)

    async def subscribe(
        self, channel: ChannelRecord, start: Start | None, types: Types | None, judge: Judge
    ) -> Subscription:
        """A subscription from a start, or from the tip. Raises `NotFound`, `Unavailable`."""
        watched = await self._watch(channel)
        position = watched.window.top if start is None else start.position
        return watched.add(position, types, judge)

    def unsubscribe(self, channel: ChannelRecord, subscription: Subscription) -> None:
        """End a subscription; the channel stays watched for a while, for readers that come back."""
        watched = self._watched.get(keys_of(channel).topic)
        if watched is not None:
            watched.remove(subscription)

    def readers(self, channel: ChannelRecord) -> int:
        """How many subscriptions this process has on the channel."""
        watched = self._watched.get(keys_of(channel).topic)
        return 0 if watched is None else len(watched.readers)

    def watching(self) -> tuple[int, int]:
        """How many channels this process watches, and how many subscriptions it has on them."""
        return len(self._watched), sum(len(watched.readers) for watched in self._watched.values())

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a feed message."""
        watched = self._watched.get(topic)
        if watched is not None:
            watched.hear(parse_feed(payload))

    def reconnected(self) -> None:
        """The feed was connected anew: everything is to be checked at once."""
        self.counts.connects += 1
        for watched in self._watched.values():
            watched.checked_at = 0.0

    def judge_all(self) -> None:
        """Ask again for every subscription whether it may go on: keys were removed."""
        for watched in self._watched.values():
            watched.judge_all()

    async def close_all(self, reason: CloseReason, *, spread_s: float) -> None:
        """Close every subscription, spread over a time so that not all come back at once; few are closed fast."""
        readers = [reader for watched in self._watched.values() for reader in watched.readers]
        random.shuffle(readers)
        pause = min(spread_s / max(1, len(readers)), 1 / CLOSES_PER_S)
        for reader in readers:
            reader.close(reason)
            await asyncio.sleep(pause)
        for watched in self._watched.values():
            watched.close_all(reason)

    async def run(self) -> None:
        """Check positions and let go of what nobody reads, until cancelled."""
        while True:
            await asyncio.sleep(self._limits.position_check_s)
            await self._check()
            await self._let_go()

    async def _watch(self, channel: ChannelRecord) -> Watched:
        topic = keys_of(channel).topic
        opening = self._opening.get(topic)
        if opening is None:
            watched = self._watched.get(topic)
            if watched is not None and not watched.is_gone:
                return watched
            opening = self._opening[topic] = asyncio.create_task(self._open(channel, topic))
            opening.add_done_callback(lambda _: self._opening.pop(topic))
        return await asyncio.shield(opening)

    async def _open(self, channel: ChannelRecord, topic: str) -> Watched:
        # Registered before its topic is: a message that overtakes the meta is not lost.
        watched = self._watched[topic] = Watched(channel, self._channels, self._log, self._limits, self.counts)
        try:
            await self._feed.watch(topic)
            meta = (await self._channels.metas([channel]))[0]
            if meta is None:
                raise NotFound(NO_CHANNEL)
        except Refusal:
            del self._watched[topic]
            await self._feed.unwatch(topic)
            raise
        watched.start(meta)
        return watched

    async def _check(self) -> None:
        now = time.monotonic()
        due = [watched for watched in self._watched.values() if watched.is_started and self._is_due(watched, now)]
        try:
            metas = await self._channels.metas([watched.record for watched in due])
            if not due:
                await self._engine.ping()
        except Unavailable:
            if time.monotonic() - self._answered_at > self._limits.vouch_s:
                for watched in self._watched.values():
                    watched.close_all(NOT_VOUCHED)
            return
        self._answered_at = time.monotonic()
        for watched, meta in zip(due, metas, strict=True):
            watched.compare(meta)

    def _is_due(self, watched: Watched, now: float) -> bool:
        is_active = now - watched.heard_at < ACTIVE_S
        interval = self._limits.position_check_s if is_active else self._limits.idle_position_check_s
        return now - watched.checked_at >= interval * 0.9

    async def _let_go(self) -> None:
        idle_since = time.monotonic() - LINGER_S
        for topic, watched in list(self._watched.items()):
            if watched.is_gone or (watched.is_started and not watched.readers and watched.heard_at < idle_since):
                del self._watched[topic]
                watched.end(NOT_VOUCHED)
                await self._feed.unwatch(topic)
