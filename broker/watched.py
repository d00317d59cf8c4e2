"""One watched channel: its window kept at the tip of its log, its record kept fresh, its subscriptions woken.

What a feed message does not cover is read from the log by one task, the mending, while messages only note that there is
more to do. So nothing here needs a lock, and no order of messages, losses and reads can skip or repeat an event.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from broker.channels import ChannelRecord
from broker.closing import DELETED, CloseReason
from broker.counts import HubCounts
from broker.cursors import LogMeta, Mark
from broker.errors import NotFound, Unavailable
from broker.events import frames_at
from broker.hub_limits import HubLimits
from broker.ids import Position
from broker.log_pages import LogPages
from broker.pages import Page, Types
from broker.readers import Judge, Readers
from broker.shared_pages import SharedPages
from broker.storage.channels import NO_CHANNEL, Channels
from broker.storage.feed import FeedMessage
from broker.storage.log import Log
from broker.storage.log_checks import Checked, Unchanged
from broker.subscription import READ_AGAIN_S, Subscription
from broker.sweeper import Sweeper
from broker.window import Window

QUIET_S = 0.5
"""A message that is just coming is not lost: after this time without one, it is."""

logger = logging.getLogger(__name__)


class Watched:
    """A channel that somebody here reads. `total` counts the events ever published, as far as known here.

    `heard_at`, `read_at` and `checked_at` are when it last had a message, a reader's coming or going, and a position
    check; `is_doubted` says that the engine may have lost what it said, `ended` why it is watched no longer.
    """

    def __init__(
        self,
        record: ChannelRecord,
        channels: Channels,
        log: Log,
        limits: HubLimits,
        counts: HubCounts,
        sweeper: Sweeper,
        shared: SharedPages,
    ) -> None:
        self.record = record
        self.window = Window(record.start, max_frames=limits.window_events, max_bytes=limits.window_bytes)
        self.total = 0
        self.heard_at = self.read_at = self.checked_at = time.monotonic()
        self.is_started = False
        self.is_doubted = False
        self.ended: CloseReason | None = None
        self._channels = channels
        self._pages = LogPages(self, log, shared, limits)
        self.limits = limits
        self.counts = counts
        self.readers = Readers(record.start, sweeper, counts)
        # What the log said of itself at the highest revision known.
        self._revision, self._version, self._trimmed = 0, record.version, record.start
        self._lost_top = record.start
        # What is to be mended.
        self._record_is_old = False
        self._is_behind = False
        self._mending: asyncio.Task[None] | None = None

    def start(self, meta: LogMeta) -> None:
        """Begin at the tip that was read after the topic was subscribed: nothing falls between."""
        self.is_started = True
        self._begin_at(meta)
        self._mend_if_needed()

    def add(
        self,
        known: ChannelRecord,
        start: Position,
        types: Types | None,
        judge: Judge,
        on_wake: Callable[[], None] | None = None,
    ) -> Subscription:
        """A new subscription from a position, for a reader that was let in by the record `known`.

        `judge` says of a record whether the subscription must end, and is asked of the present one and each new one.
        """
        subscription = Subscription(self, self.readers, start, types, on_wake)
        self.readers.add(subscription, judge)
        self.read_at = time.monotonic()
        if self.ended is None:
            self.readers.judge(subscription, self.record)
        else:
            subscription.close(self.ended)
        self._record_is_old = self._record_is_old or known.version > self.record.version
        self._mend_if_needed()
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        self.readers.remove(subscription)
        self.read_at = time.monotonic()

    def hear(self, message: FeedMessage | None) -> None:
        """Take a feed message: deliver its events where they follow, else note what is to be mended."""
        self.heard_at = time.monotonic()
        if message is None:
            self.end(DELETED)
            return
        if not self.is_started:
            self._is_behind = True
            return
        self._note(message.revision, message.version, message.trimmed)
        if message.last > self.window.top:
            self.counts.hear(message.last.ms, time.time())
            if self._follows(message):
                frames = frames_at(self.record.tag_letters, message.events)
                self.window.push(frames)
                self.total += len(frames)
                self.readers.tip.push(frames)
                self.readers.wake()
            else:
                self._is_behind = True
        self._mend_if_needed()

    @property
    def is_sure(self) -> bool:
        """Whether nothing is known to be missing, of the log and of the record."""
        is_mended = self._mending is None and not self._needs_mending
        return is_mended and self.is_started and not self.is_doubted and self.ended is None

    def holds(self, position: Position) -> bool:
        """Whether a reader may go on from here: it lies in the log as far as that is known."""
        return self._trimmed <= position <= self.window.top

    @property
    def mark(self) -> Mark:
        """How far this channel is known here; the engine never says less, unless it lost something."""
        return Mark(self.window.top, self._revision)

    @property
    def highest(self) -> Position:
        """The highest position that was ever known here, also if the engine lost it since."""
        return max(self.window.top, self._lost_top)

    def compare(self, checked: Checked, mark: Mark) -> None:
        """Take the answer to a position check: what the feed lost is found here. `mark` is of when it was asked."""
        if self.is_doubted and checked is Unchanged.UNCHANGED:
            # It was asked before the doubt.
            return
        self.checked_at = time.monotonic()
        self.counts.checks += 1
        if checked is None:
            self.end(DELETED)
            return
        if checked is not Unchanged.UNCHANGED:
            self._hear_check(checked, mark)
        self._mend_if_needed()

    def doubt(self) -> None:
        """The engine was restarted or replaced, and may have lost what it said: what it says next counts anew."""
        self.is_doubted = True

    def judge_all(self) -> None:
        """Ask every reader's judge about the record, and close those that may no longer read."""
        self.readers.judge_all(self.record)

    def end(self, reason: CloseReason) -> None:
        """Close every subscription and stop: the channel is gone, or nobody reads it."""
        self.ended = self.ended or reason
        self.readers.close_all(reason)
        if self._mending is not None:
            self._mending.cancel()

    async def read(self, start: Position, limit: int, types: Types | None) -> Page:
        """A page of the log for a reader; raises `NotFound`, `Unavailable`."""
        return await self._pages.read(start, limit, types)

    async def refresh(self) -> None:
        """Read the record, and judge the readers where it is another; raises `NotFound`, `Unavailable`."""
        record = await self._channels.refresh(self.record.id)
        if record.tag != self.record.tag:
            raise NotFound(NO_CHANNEL)
        if record != self.record:
            self.record = record
            self.judge_all()

    def _begin_at(self, meta: LogMeta) -> None:
        self.window.reset(meta.top)
        self.total = meta.event_count
        self._revision, self._version, self._trimmed = meta.revision, meta.record_version, meta.trimmed
        self._record_is_old = meta.record_version != self.record.version

    def _begin_again(self, meta: LogMeta) -> None:
        """Believe nothing that was known; readers past what the log still has are told so."""
        if meta.top < self.window.top:
            logger.error("the engine lost events of %s, after %s", self.record.id, meta.top)
        self.readers.scatter()
        self._pages.begin_era()
        self._lost_top = self.highest
        self.is_doubted = False
        self._begin_at(meta)
        # Versions may have been given out twice: its number does not tell an old record now.
        self._record_is_old = True
        self.readers.lose(meta.top)
        self.readers.wake()

    def _hear_check(self, meta: LogMeta, mark: Mark) -> None:
        if self.is_doubted or mark.is_beyond(meta):
            self._begin_again(meta)
        else:
            is_quiet = self._mending is None and self.checked_at - self.heard_at > QUIET_S
            self.counts.losses += is_quiet and meta.top > self.window.top
            self._note(meta.revision, meta.record_version, meta.trimmed)
            self._is_behind = self._is_behind or meta.top > self.window.top

    def _follows(self, message: FeedMessage) -> bool:
        is_next = message.previous == self.window.top and message.revision == self._revision
        return is_next and bool(message.events) and self.is_sure

    def _note(self, revision: int, version: int, trimmed: Position) -> None:
        """Take what a message or a check says of the log besides its top."""
        if revision <= self._revision:
            return
        self._pages.begin_era()
        # One change that is a trim or a new record says so itself. Else events were deleted, one or more: readers
        # behind the tip must see the log as it is now.
        is_told = trimmed > self._trimmed or version > self._version
        if revision > self._revision + 1 or not is_told:
            self.window.reset(self.window.top)
        self.window.forget(trimmed)
        self._revision, self._version, self._trimmed = revision, version, trimmed
        self._record_is_old = self._record_is_old or version > self.record.version

    @property
    def _needs_mending(self) -> bool:
        return self._record_is_old or self._is_behind

    def _mend_if_needed(self) -> None:
        if self._needs_mending and self._mending is None and self.ended is None:
            self._mending = asyncio.create_task(self._mend(), name=f"mend-{self.record.id}")

    async def _mend(self) -> None:
        try:
            while self._needs_mending:
                try:
                    await self._mend_once()
                except Unavailable:
                    self._record_is_old = self._is_behind = True
                    await asyncio.sleep(READ_AGAIN_S)
        except NotFound:
            self.end(DELETED)
        except Exception:
            self._record_is_old = self._is_behind = True
            logger.exception("mending %s failed; the position check tries again", self.record.id)
        finally:
            self._mending = None

    async def _mend_once(self) -> None:
        if self._record_is_old:
            self._record_is_old = False
            await self.refresh()
            return
        self._is_behind = False
        self.counts.mends += 1
        mark = self.mark
        limits = self.limits
        page = await self._pages.fresh(mark.top, limits.window_events, None, limits.window_bytes)
        if self.is_doubted or mark.is_beyond(page.meta):
            self._begin_again(page.meta)
        elif self.window.top != mark.top or page.meta.revision < self._revision:
            # What was heard meanwhile makes this page an old one: it may hold what was deleted since.
            self._is_behind = True
        else:
            self._take(page)

    def _take(self, page: Page) -> None:
        meta = page.meta
        self.readers.scatter()
        self._note(meta.revision, meta.record_version, meta.trimmed)
        self.total = meta.event_count
        if page.more:
            # Too far behind for the window: each reader reads the log at its own speed.
            self.window.reset(meta.top)
        else:
            if meta.trimmed > self.window.top:
                # Something was trimmed before it was seen here: nobody may be led across it.
                self.window.reset(meta.trimmed)
            self.window.push(page.frames)
            self.window.advance(meta.top)
        self.readers.wake()
