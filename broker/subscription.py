"""A subscription: a channel, a filter and a cursor that moves (design section 3).

One loop for every reader: frames from the window when the cursor is in it, a page of the log when it is not, waiting
when there is nothing. A reader that starts from an old cursor, one that fell behind and one at the tip run the same
lines. Nothing is queued for a reader: a slow one only has an old cursor.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from broker.channels import ChannelRecord
from broker.closing import CURSOR_EXPIRED, DELETED, LAGGING, Closed, CloseReason
from broker.counts import HubCounts
from broker.errors import NotFound, Unavailable
from broker.events import Frame
from broker.hub_limits import HubLimits
from broker.ids import ORIGIN, Position, render_ulid
from broker.pages import Page, Types
from broker.tip import Encode, Tip, Write
from broker.window import Window, first

READ_AGAIN_S = 0.2


class Step(NamedTuple):
    """Frames to write, in order (none when the filter let nothing through), and the cursor after them."""

    frames: list[Frame]
    cursor: str


class AtHand(Enum):
    """What `take` says when it has no step: nothing is there, or a page of the log is to be read first."""

    NOTHING = "nothing"
    IN_LOG = "in log"


class Source(Protocol):
    """What a subscription reads: a watched channel of the hub."""

    record: ChannelRecord
    window: Window
    total: int
    limits: HubLimits
    counts: HubCounts

    async def read(self, start: Position, limit: int, types: Types | None) -> Page:
        """A page of the channel's log, ended by the event that brings it to `page_bytes`.

        Raises `NotFound`, `Unavailable`.
        """
        ...


class Others(Protocol):
    """The readers of the channel, of whom a subscription is one."""

    tip: "Tip[Subscription]"

    def join_tip(
        self, subscription: "Subscription", top: Position, types: Types | None, encode: Encode, write: Write
    ) -> None:
        """Write to a subscription that has everything, as events come, and wake it no more."""
        ...

    def leave_tip(self, subscription: "Subscription") -> None:
        """Wake it again."""
        ...


class Subscription:
    """One reader of one channel. `close` and `wake` may be called by anybody in the loop.

    A reader with a task of its own calls `next`. Others give `on_wake`, which is called when there may be something new
    or an end, and call `take`, `read` where that says so, and `settle` when the step was written; a `Pump` does so for
    one reader, a `Rotation` for many. When `take` has nothing, a reader may live at the tip.
    """

    __slots__ = (
        "_closing",
        "_log_top",
        "_on_closing",
        "_on_wake",
        "_others",
        "_pending",
        "_position",
        "_resume",
        "_source",
        "_standing",
        "_types",
        "_wanted",
        "is_brief",
        "is_live",
    )

    def __init__(
        self,
        source: Source,
        others: Others,
        start: Position,
        types: Types | None,
        on_wake: Callable[[], None] | None,
    ) -> None:
        self._source = source
        self._others = others
        self._types = types
        self._position = start
        self._pending = start
        # How far the log is known to go, by a read of it: a window may be behind, a cursor beyond both is a gap.
        self._log_top = ORIGIN
        # How many events had been published where this reader stands; unknown until it was at the tip once.
        self._standing: int | None = None
        # Made by the first `next`: most readers have no task, and an event is large.
        self._wanted: asyncio.Event | None = None
        self._on_wake = on_wake
        # Whether it is written to at the tip; it is not to be taken from then.
        self.is_live = False
        self._closing: CloseReason | None = None
        self._on_closing: Callable[[], None] | None = None
        # Whether it waits for one step only, as a long poll does; such are ended first when the process drains.
        self.is_brief = False
        self._resume: Position | None = None

    @property
    def channel(self) -> ChannelRecord:
        """The channel as it is now."""
        return self._source.record

    @property
    def is_closing(self) -> bool:
        """Whether the next step will be its end."""
        return self._closing is not None

    @property
    def cursor(self) -> str:
        """The id after which this reader goes on: everything up to it was written."""
        return self._render(self._others.tip.at if self.is_live else self._position)

    def wake_by(self, on_wake: Callable[[], None]) -> None:
        """Have this called from now on when there may be something new, or an end."""
        self._on_wake = on_wake

    def wake(self) -> None:
        """Tell that there may be something new."""
        if self._on_wake is not None:
            self._on_wake()
        elif self._wanted is not None:
            self._wanted.set()

    def live_at_tip(self, encode: Encode, write: Write) -> None:
        """Be written to as events come, without being woken, where this reader is at the tip: `take` had nothing."""
        top = self._source.window.top
        if self._position == top and not self.is_live:
            self.is_live = True
            self._others.join_tip(self, top, self._types, encode, write)

    def leave_tip(self) -> None:
        """Be woken again from now on, and take; everything that was written at the tip is behind this reader."""
        if self.is_live:
            self.is_live = False
            tip = self._others.tip
            self._position = self._pending = tip.at
            self._standing = self._source.total - tip.waiting
            self._others.leave_tip(self)

    def close(self, reason: CloseReason) -> None:
        """End the subscription at its next step; the first reason stays."""
        is_first = self._closing is None
        self._closing = self._closing or reason
        self.leave_tip()
        self.wake()
        if is_first and self._on_closing is not None:
            self._on_closing()

    def when_closing(self, call: Callable[[], None]) -> None:
        """Have `call` called once somebody ends the subscription: its reader may be blocked in writing."""
        self._on_closing = call
        if self._closing is not None:
            call()

    def lose(self, top: Position) -> None:
        """End the subscription if it is past `top`, which is all that the log still has."""
        if self._pending > top and self._closing is None:
            self._resume = top
            self.close(CURSOR_EXPIRED)

    async def next(self) -> Step:
        """The next frames to write; calling again says that they were written. Raises `Closed`."""
        self.settle()
        self._wanted = self._wanted or asyncio.Event()
        while True:
            step: Step | AtHand | None = self.take()
            if step is AtHand.NOTHING:
                self._wanted.clear()
                await self._wanted.wait()
            elif step is AtHand.IN_LOG:
                step = await self.read()
            if isinstance(step, Step):
                return step

    def settle(self) -> None:
        """Say that the frames of the last step were written."""
        self._position = self._pending

    def take(self, most: int = 0) -> Step | AtHand:
        """The next step of at most so many frames (0: of a page), as far as memory has it. Raises `Closed`.

        A step ends with the frame that brings it to `page_bytes`: a slow reader keeps no more from being freed.
        """
        if self._closing is not None:
            raise self._closed(self._closing)
        window = self._source.window
        is_known = self._position <= window.top or self._position <= self._log_top
        frames = window.after(self._position) if is_known else None
        if frames is None:
            return AtHand.IN_LOG
        if not frames:
            if self._position == window.top:
                self._standing = self._source.total
            return AtHand.NOTHING
        self._check_lag(len(frames))
        limits = self._source.limits
        taken = first(frames, most or limits.page_events, limits.page_bytes)
        self._standing = self._source.total - (len(frames) - len(taken))
        return self._step(self._filtered(taken), taken[-1].position)

    async def read(self, most: int = 0) -> Step | None:
        """A step of at most so many frames (0: of a page) from the log; None when there is none yet: take again.

        Raises `Closed`.
        """
        self._check_lag(0)
        self._source.counts.catch_ups += 1
        before, limit = self._position, most or self._source.limits.page_events
        try:
            page = await self._source.read(before, limit, self._types)
        except NotFound:
            raise self._closed(DELETED) from None
        except Unavailable:
            # The hub closes its subscriptions when the engine stays away; until then it may come back.
            await asyncio.sleep(READ_AGAIN_S)
            return None
        if self._closing is not None:
            return None
        if not page.meta.trimmed <= before <= page.meta.top:
            self._resume = min(max(before, page.meta.trimmed), page.meta.top)
            raise self._closed(CURSOR_EXPIRED)
        self._log_top = page.meta.top
        if not page.more:
            self._standing = page.meta.event_count
            return self._step(page.frames, page.meta.top)
        if self._standing is not None:
            self._standing += page.examined
        return self._step(page.frames, page.scanned or before)

    def _step(self, frames: list[Frame], end: Position) -> Step:
        self._pending = end
        self._source.counts.delivered += len(frames)
        return Step(frames, self._render(end))

    def _filtered(self, frames: list[Frame]) -> list[Frame]:
        types = self._types
        return frames if types is None else [frame for frame in frames if frame.type_json in types]

    def _check_lag(self, at_hand: int) -> None:
        if (
            self._standing is not None
            and self._source.total - self._standing - at_hand > self._source.limits.max_lag_events
        ):
            raise self._closed(LAGGING)

    def _closed(self, reason: CloseReason) -> Closed:
        self._source.counts.ends[reason.code] += 1
        return Closed(reason, None if reason is DELETED else self._render(self._resume or self._position))

    def _render(self, position: Position) -> str:
        return render_ulid(self._source.record.tag_letters, position)
