"""The hub: the channels that somebody in this process watches (design section 3, "Live feed").

Feed messages go to their channel; a position check compares what each log says of itself with what arrived, so that a
lost message is found within a second; and a process that the engine does not answer closes its subscriptions rather
than going silently stale.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakValueDictionary

from broker.channels import ChannelRecord
from broker.closing import NOT_VOUCHED, RESTART, CloseReason
from broker.counts import HubCounts
from broker.cursors import Start
from broker.errors import Unavailable
from broker.hub_limits import HubLimits
from broker.pages import Types
from broker.position_checks import PositionChecks
from broker.readers import Judge
from broker.shared_pages import SharedPages
from broker.storage.channels import Channels, keys_of
from broker.storage.engine import Engine
from broker.storage.feed import Connected, parse_feed
from broker.storage.feeds import LiveFeed
from broker.storage.log import Log, Stale
from broker.subscription import Subscription
from broker.sweeper import Sweeper
from broker.vouching import Vouching
from broker.watched import Watched

CLOSES_PER_S = 200
FRESH_CHECKS = 1.5
"""So many times the interval of position checks, what is known of a channel may be old for readers who come."""

logger = logging.getLogger(__name__)


class Hub:
    """All watched channels of a process. `hear` and `reconnected` are the feed's callbacks."""

    def __init__(self, engine: Engine, channels: Channels, log: Log, feed: LiveFeed, limits: HubLimits) -> None:
        self._engine = engine
        self._channels = channels
        self._log = log
        self._feed = feed
        self._limits = limits
        self.counts = HubCounts()
        self._sweeper = Sweeper()
        self._shared = SharedPages()
        self._watched: dict[str, Watched] = {}
        self._by_id: WeakValueDictionary[str, Watched] = WeakValueDictionary()
        self._opening: dict[str, asyncio.Task[Watched]] = {}
        self._vouching = Vouching(engine.partitions, limits.vouch_s, time.monotonic())
        self._checks = PositionChecks(engine, channels, feed, limits, self._vouching, self._watched)
        self._next_look: asyncio.TimerHandle | None = None
        self._check_wanted = asyncio.Event()
        feed.listen(self.hear, self.reconnected)

    async def subscribe(
        self,
        channel: ChannelRecord,
        start: Start | None,
        types: Types | None,
        judge: Judge,
        on_wake: Callable[[], None] | None = None,
    ) -> Subscription:
        """A subscription from a start, or from the tip. Raises `NotFound`, `Unavailable`, `Stale` for an old record.

        `channel` is the record by which the reader was let in; `judge` is asked of the one known here.
        `on_wake` is for a reader without a task of its own (see `Subscription`); it may be called before this returns.
        """
        if not self._vouching.covers(channel.partition, time.monotonic()):
            raise Unavailable("The engine does not answer", retry_after_s=1)
        watched = await self._watch(channel)
        position = watched.window.top if start is None else start.position
        return watched.add(channel, position, types, judge, on_wake)

    def known(self, channel_id: str) -> Watched | None:
        """The channel as it was told or checked here within the last moment, or None: then the engine is to be asked.

        Many readers that come at once need one look at the engine together.
        """
        watched, now = self._by_id.get(channel_id), time.monotonic()
        if watched is None or not watched.is_sure or not self._feed.hears(keys_of(watched.record).topic):
            return None
        is_fresh = now - watched.checked_at < FRESH_CHECKS * self._limits.position_check_s
        return watched if is_fresh and self._vouching.covers(watched.record.partition, now) else None

    def unsubscribe(self, channel: ChannelRecord, subscription: Subscription) -> None:
        """End a subscription; the channel stays watched for a while, for readers that come back."""
        watched = self._watched.get(keys_of(channel).topic)
        if watched is not None:
            watched.remove(subscription)

    def readers(self, channel: ChannelRecord) -> int:
        """How many subscriptions this process has on the channel."""
        watched = self._watched.get(keys_of(channel).topic)
        return 0 if watched is None else len(watched.readers)

    @property
    def vouches(self) -> bool:
        """Whether any of the engine answered lately: readers of what it has are let in only then."""
        return self._vouching.covers_any(time.monotonic())

    def watching(self) -> tuple[int, int]:
        """How many channels this process watches, and how many subscriptions it has on them."""
        return len(self._watched), sum(len(watched.readers) for watched in self._watched.values())

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a feed message. One that cannot be taken is as good as lost, and the position check is told."""
        watched = self._watched.get(topic)
        if watched is None:
            return
        try:
            watched.hear(parse_feed(payload))
        except Exception:
            logger.exception("a feed message of %s could not be taken", topic)
            watched.checked_at = 0.0
            self._check_wanted.set()

    def reconnected(self, connected: Connected) -> None:
        """The feed was connected anew: its topics are to be checked at once. Another engine may have lost something."""
        self.counts.connects += 1
        topics = self._watched.keys() if connected.topics is None else connected.topics
        some = [watched for topic in topics if (watched := self._watched.get(topic)) is not None]
        if connected.is_other:
            logger.warning("the engine was restarted or replaced")
            self._checks.doubt(watched.record.partition for watched in some)
        for watched in some:
            watched.checked_at = 0.0
            if connected.is_other:
                watched.doubt()
        self._check_wanted.set()

    def judge_all(self) -> None:
        """Ask again for every subscription whether it may go on: keys were removed."""
        for watched in self._watched.values():
            watched.judge_all()

    async def close_all(self, reason: CloseReason, *, spread_s: float) -> None:
        """Close every subscription: brief ones at once, others spread over a time so that not all come back together.

        Few are closed fast, many never take longer than `spread_s`.
        """
        readers = [reader for watched in self._watched.values() for reader in watched.readers]
        for reader in readers:
            if reader.is_brief:
                reader.close(reason)
        lasting = [reader for reader in readers if not reader.is_brief]
        random.shuffle(lasting)
        pause = min(spread_s / max(1, len(lasting)), 1 / CLOSES_PER_S)
        began = time.monotonic()
        for i, reader in enumerate(lasting, 1):
            reader.close(reason)
            await asyncio.sleep(began + i * pause - time.monotonic())
        self._close_now(reason)

    async def run(self) -> None:
        """Check positions, vouch, and let go of what nobody reads, until cancelled; then everything is let go."""
        self._vouching.begin(time.monotonic())
        self._look()
        try:
            while True:
                await self._checks.check()
                await self._let_go()
                self._check_wanted.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.position_check_s):
                        await self._check_wanted.wait()
        finally:
            if self._next_look is not None:
                self._next_look.cancel()
            self._end()

    async def _watch(self, channel: ChannelRecord) -> Watched:
        topic = keys_of(channel).topic
        while True:
            opening = self._opening.get(topic)
            watched = self._watched.get(topic) if opening is None else await asyncio.shield(opening)
            # One that is opened may be let go again before those who waited for it could take their places.
            if watched is not None and watched.ended is None:
                return watched
            if topic not in self._opening:
                opening = asyncio.create_task(self._open(channel, topic), name=f"watch-{channel.id}")
                self._opening[topic] = opening
                opening.add_done_callback(lambda done: self._opened(topic, done))

    def _opened(self, topic: str, done: "asyncio.Task[Watched]") -> None:
        del self._opening[topic]
        if not done.cancelled():
            # Those who wait have it; where nobody does any more, it is not worth a report.
            done.exception()

    async def _open(self, channel: ChannelRecord, topic: str) -> Watched:
        watched = Watched(channel, self._channels, self._log, self._limits, self.counts, self._sweeper, self._shared)
        self._watched[topic] = self._by_id[channel.id] = watched
        try:
            await self._feed.watch(topic)
            meta = (await self._channels.metas([channel]))[0]
            if meta is None:
                await self._channels.refresh(channel.id)
                raise Stale
        except BaseException:
            if self._watched.get(topic) is watched:
                del self._watched[topic]
                await self._feed.unwatch(topic)
            raise
        watched.start(meta)
        return watched

    def _look(self) -> None:
        """Close what the engine has been silent about for too long, and look again soon."""
        silent, next_s = self._vouching.look(time.monotonic())
        for partition in silent:
            self._close_now(NOT_VOUCHED, partition)
        self._next_look = asyncio.get_running_loop().call_later(next_s, self._look)

    async def _let_go(self) -> None:
        for topic, watched in list(self._watched.items()):
            # Asked now and not before: the steps below wait, and meanwhile others come and go.
            if self._watched.get(topic) is watched and self._is_unread(watched):
                del self._watched[topic]
                watched.end(NOT_VOUCHED)
                await self._feed.unwatch(topic)

    def _is_unread(self, watched: Watched) -> bool:
        has_lingered = time.monotonic() - watched.read_at > self._limits.linger_s
        return watched.ended is not None or (watched.is_started and not watched.readers and has_lingered)

    def _close_now(self, reason: CloseReason, partition: int | None = None) -> None:
        for watched in self._watched.values():
            if partition in (None, watched.record.partition):
                watched.readers.close_all(reason)

    def _end(self) -> None:
        for opening in self._opening.values():
            opening.cancel()
        for watched in self._watched.values():
            watched.end(RESTART)
        self._watched.clear()
