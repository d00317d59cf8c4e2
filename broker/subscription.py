"""A subscription: a channel, a filter and a cursor that moves (design section 3).

One loop for every reader: frames from the window when the cursor is in it, a page of the log when it is not, waiting
when there is nothing. A reader that starts from an old cursor, one that fell behind and one at the tip run the same
lines. Nothing is queued for a reader: a slow one only has an old cursor.
"""

import asyncio
from typing import NamedTuple, Protocol

from broker.channels import ChannelRecord
from broker.counts import HubCounts
from broker.errors import NotFound, Unavailable
from broker.events import Frame
from broker.ids import Position, render_ulid
from broker.pages import Page, Types
from broker.window import Window

READ_AGAIN_S = 0.2


class CloseReason(NamedTuple):
    """Why a subscription ends: a close code of `docs/close-codes.md`, and a word for it."""

    code: int
    reason: str


DELETED = CloseReason(1000, "channel deleted")
RESTART = CloseReason(1012, "restart")
NOT_VOUCHED = CloseReason(1013, "try again later")
TOKEN_EXPIRED = CloseReason(4401, "token expired")
FORBIDDEN = CloseReason(4403, "forbidden")
LAGGING = CloseReason(4408, "lagging")
CURSOR_EXPIRED = CloseReason(4410, "cursor expired")


class Closed(Exception):
    """The subscription ended; `cursor` is where to resume (None where resuming makes no sense)."""

    def __init__(self, reason: CloseReason, cursor: str | None) -> None:
        super().__init__(reason.reason)
        self.code = reason.code
        self.reason = reason.reason
        self.cursor = cursor


class Step(NamedTuple):
    """Frames to write, in order (none when the filter let nothing through), and the cursor after them."""

    frames: list[Frame]
    cursor: str


class Source(Protocol):
    """What a subscription reads: a watched channel of the hub."""

    record: ChannelRecord
    window: Window
    total: int

    async def read(self, start: Position, limit: int, types: Types | None) -> Page:
        """A page of the channel's log; raises `NotFound`, `Unavailable`."""
        ...


class Subscription:
    """One reader of one channel. `next` is called by one task; `close` and `wake` by anybody in the loop."""

    def __init__(
        self,
        source: Source,
        start: Position,
        *,
        types: Types | None,
        page_events: int,
        max_lag_events: int,
        counts: HubCounts | None = None,
    ) -> None:
        self._source = source
        self._types = types
        self._page_events = page_events
        self._max_lag_events = max_lag_events
        self._counts = counts or HubCounts()
        self._position = start
        self._pending = start
        # The count of the hub's frames at which this reader stands; unknown until it was at the tip once.
        self._standing: int | None = None
        self._wanted = asyncio.Event()
        self._closing: CloseReason | None = None

    @property
    def channel(self) -> ChannelRecord:
        """The channel as it is now."""
        return self._source.record

    @property
    def cursor(self) -> str:
        """The id after which this reader goes on: everything up to it was written."""
        return render_ulid(self._source.record.tag_letters, self._position)

    def wake(self) -> None:
        """Tell that there may be something new."""
        self._wanted.set()

    def close(self, reason: CloseReason) -> None:
        """End the subscription at its next step; the first reason stays."""
        self._closing = self._closing or reason
        self._wanted.set()

    async def next(self) -> Step:
        """The next frames to write; calling again says that they were written. Raises `Closed`, `Unavailable`."""
        self._position = self._pending
        while True:
            if self._closing is not None:
                raise self._closed(self._closing)
            frames = self._source.window.after(self._position)
            if frames is None:
                step = await self._from_log()
            elif frames:
                step = self._from_window(frames)
            else:
                self._standing = self._source.total
                self._wanted.clear()
                await self._wanted.wait()
                continue
            if step is not None:
                return step

    def _from_window(self, frames: list[Frame]) -> Step:
        self._check_lag(len(frames))
        self._standing = self._source.total
        return self._step(self._filtered(frames), frames[-1].position)

    async def _from_log(self) -> Step | None:
        self._check_lag(0)
        self._counts.catch_ups += 1
        before = self._position
        try:
            page = await self._source.read(before, self._page_events, self._types)
        except NotFound:
            raise self._closed(DELETED) from None
        except Unavailable:
            # The hub closes its subscriptions when the engine stays away; until then it may come back.
            await asyncio.sleep(READ_AGAIN_S)
            return None
        if self._closing is not None:
            return None
        if before < page.meta.trimmed or before > page.meta.top:
            raise self._closed(CURSOR_EXPIRED)
        if self._standing is not None:
            self._standing += page.examined
        end = page.scanned if page.more else page.meta.top
        return self._step(page.frames, end or before)

    def _step(self, frames: list[Frame], end: Position) -> Step:
        self._pending = end
        self._counts.delivered += len(frames)
        return Step(frames, render_ulid(self._source.record.tag_letters, end))

    def _filtered(self, frames: list[Frame]) -> list[Frame]:
        types = self._types
        return frames if types is None else [frame for frame in frames if frame.type_json in types]

    def _check_lag(self, at_hand: int) -> None:
        if self._standing is not None and self._source.total - self._standing - at_hand > self._max_lag_events:
            raise self._closed(LAGGING)

    def _closed(self, reason: CloseReason) -> Closed:
        self._counts.ends[reason.code] += 1
        return Closed(reason, None if reason is DELETED else self.cursor)
