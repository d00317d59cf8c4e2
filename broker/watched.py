"""One watched channel: its window kept at the tip of its log, its record kept fresh, its subscriptions woken.

What a feed message does not cover is read from the log by one task, the mending, while messages only note that there is
more to do. So nothing here needs a lock, and no order of messages, losses and reads can skip or repeat an event.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from broker.channels import ChannelRecord
from broker.counts import HubCounts
from broker.cursors import LogMeta
from broker.errors import NotFound, Unavailable
from broker.events import frame
from broker.ids import Position
from broker.pages import Page, Types
from broker.storage.channels import Channels
from broker.storage.feed import FeedMessage
from broker.storage.log import Log, Stale
from broker.subscription import DELETED, READ_AGAIN_S, CloseReason, Subscription
from broker.window import Window

QUIET_S = 0.5
"""A message that is just coming is not lost: after this time without one, it is."""

Judge = Callable[[ChannelRecord], CloseReason | None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubLimits:
    """Bounds and intervals of watching; the defaults are those of config.toml."""

    window_events: int = 256
    window_bytes: int = 1_048_576
    page_events: int = 1_000
    max_lag_events: int = 100_000
    position_check_s: float = 1.0
    idle_position_check_s: float = 10.0
    vouch_s: float = 5.0


class Watched:
    """A channel that somebody here reads. `total` counts the events ever published, as far as known here."""

    def __init__(
        self,
        record: ChannelRecord,
        channels: Channels,
        log: Log,
        limits: HubLimits,
        counts: HubCounts | None = None,
    ) -> None:
        self.record = record
        self.window = Window(record.start, max_frames=limits.window_events, max_bytes=limits.window_bytes)
        self.total = 0
        self.readers: dict[Subscription, Judge] = {}
        self.heard_at = time.monotonic()
        self.checked_at = self.heard_at
        self.is_started = False
        self.is_gone = False
        self._channels = channels
        self._log = log
        self._limits = limits
        self._counts = counts or HubCounts()
        self._revision = 0
        self._record_is_old = False
        self._is_behind = False
        self._mending: asyncio.Task[None] | None = None

    def start(self, meta: LogMeta) -> None:
        """Begin at the tip that was read after the topic was subscribed: nothing falls between."""
        self.is_started = True
        self.window.reset(meta.top)
        self._revision = meta.revision
        self.total = meta.event_count
        self._record_is_old = meta.record_version != self.record.version
        self._mend_if_needed()

    def add(self, start: Position, types: Types | None, judge: Judge) -> Subscription:
        """A new subscription from a position; `judge` says of a changed record whether it must end."""
        limits = self._limits
        subscription = Subscription(
            self,
            start,
            types=types,
            page_events=limits.page_events,
            max_lag_events=limits.max_lag_events,
            counts=self._counts,
        )
        self.readers[subscription] = judge
        self.heard_at = time.monotonic()
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        self.readers.pop(subscription, None)
        self.heard_at = time.monotonic()

    def hear(self, message: FeedMessage | None) -> None:
        """Take a feed message: deliver its events where they follow, else note what is to be mended."""
        self.heard_at = time.monotonic()
        if message is None:
            self.end(DELETED)
            return
        if not self.is_started:
            self._is_behind = True
            return
        self._note_revision(message.revision)
        if message.last > self.window.top:
            self._counts.hear(message.last.ms, time.time())
            follows = message.previous == self.window.top and message.events and self._mending is None
            if follows:
                letters = self.record.tag_letters
                self.window.push(frame(letters, *event) for event in message.events)
                self.total += len(message.events)
                self._wake()
            else:
                self._is_behind = True
        self._mend_if_needed()

    def compare(self, meta: LogMeta | None) -> None:
        """Take the result of a position check: what the feed lost is found here."""
        self.checked_at = time.monotonic()
        self._counts.checks += 1
        if meta is None:
            self.end(DELETED)
            return
        is_quiet = self._mending is None and self.checked_at - self.heard_at > QUIET_S
        self._counts.losses += is_quiet and meta.top > self.window.top
        self._note_revision(meta.revision)
        self._is_behind = self._is_behind or meta.top > self.window.top
        self._mend_if_needed()

    async def read(self, start: Position, limit: int, types: Types | None) -> Page:
        """A page of the log, read with the record of now; raises `NotFound`, `Unavailable`."""
        while True:
            try:
                return await self._log.after(self.record, start, limit=limit, types=types)
            except Stale:
                await self._refresh()

    def judge_all(self) -> None:
        """Ask every reader's judge about the record, and close those that may no longer read."""
        for subscription, judge in list(self.readers.items()):
            reason = judge(self.record)
            if reason is not None:
                subscription.close(reason)

    def close_all(self, reason: CloseReason) -> None:
        """Close every subscription."""
        for subscription in list(self.readers):
            subscription.close(reason)

    def end(self, reason: CloseReason) -> None:
        """Close every subscription and stop: the channel is gone, or nobody reads it."""
        self.is_gone = True
        self.close_all(reason)
        if self._mending is not None:
            self._mending.cancel()

    def _wake(self) -> None:
        for subscription in self.readers:
            subscription.wake()

    def _note_revision(self, revision: int) -> None:
        if revision != self._revision:
            # Something was deleted, trimmed or changed: readers behind the tip must see the log as it is now.
            self._revision = revision
            self.window.reset(self.window.top)
            self._record_is_old = True

    def _mend_if_needed(self) -> None:
        if (self._record_is_old or self._is_behind) and self._mending is None and not self.is_gone:
            self._mending = asyncio.create_task(self._mend(), name=f"mend-{self.record.id}")

    async def _mend(self) -> None:
        try:
            while self._record_is_old or self._is_behind:
                try:
                    await self._mend_once()
                except Unavailable:
                    self._record_is_old = self._is_behind = True
                    await asyncio.sleep(READ_AGAIN_S)
        except NotFound:
            self.end(DELETED)
        except Exception:
            logger.exception("mending %s failed; the position check tries again", self.record.id)
        finally:
            self._mending = None

    async def _mend_once(self) -> None:
        if self._record_is_old:
            self._record_is_old = False
            await self._refresh()
            return
        self._is_behind = False
        self._counts.mends += 1
        page = await self.read(self.window.top, self._limits.window_events, None)
        if page.more:
            # Too far behind for the window: each reader reads the log at its own speed.
            self.window.reset(page.meta.top)
        else:
            self.window.push(page.frames)
            self.window.advance(page.meta.top)
        self.total = page.meta.event_count
        self._wake()

    async def _refresh(self) -> None:
        record = await self._channels.refresh(self.record.id)
        if record.tag != self.record.tag:
            raise NotFound("Channel not found")
        self.record = record
        self.judge_all()
