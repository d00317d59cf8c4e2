"""A pump: a reader that needs no task. What is at hand is written as long as there is room, then it lives at the tip.

The same loop as `Subscription.next`, turned inside out: it runs when there is something new or when there is room
again. Only a page of the log is awaited, in a task of its own. Between the last take and the joining of the tip nothing
is awaited, so nothing can fall between (design section 3, "Window, subscription, one loop").
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from broker.closing import Closed
from broker.events import Frame
from broker.subscription import AtHand, Step, Subscription
from broker.tip import Encode, pieces

logger = logging.getLogger(__name__)


class Sink(Protocol):
    """Where a pump writes. `is_full` says that more would only wait; `write` takes it all the same."""

    @property
    def is_full(self) -> bool:
        """Whether there is no room."""
        ...

    def write(self, encoded: bytes) -> object:
        """Take the bytes of some frames."""
        ...

    def end(self, why: Closed | Exception) -> None:
        """The subscription ended, or a defect ended it; nothing is written after it."""
        ...


class Pump:
    """Moves one subscription into one sink. `go` may be called by anybody in the loop, at any time."""

    __slots__ = ("_encode", "_has_ended", "_left", "_reading", "_sink", "_subscription")

    def __init__(self, subscription: Subscription, encode: Encode, sink: Sink) -> None:
        self._subscription = subscription
        self._encode = encode
        self._sink = sink
        self._left: deque[list[Frame]] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._has_ended = False

    def start(self) -> None:
        """Begin; from now on the subscription wakes this pump."""
        self._subscription.wake_by(self.go)
        self.go()

    def go(self) -> None:
        """Write what is at hand, while there is room. Then: live at the tip, wait for room, or read the log."""
        if self._has_ended or self._reading is not None or self._subscription.is_live:
            return
        try:
            self._go()
        except Closed as closed:
            self._end(closed)
        except Exception as error:
            self._end(error)

    def pause(self) -> None:
        """There is no room: leave the tip. What was written there is behind this reader."""
        self._subscription.leave_tip()

    def stop(self) -> None:
        """Write nothing more: the peer is gone."""
        self._has_ended = True
        self._subscription.leave_tip()
        if self._reading is not None:
            self._reading.cancel()

    def _go(self) -> None:
        subscription, sink = self._subscription, self._sink
        while subscription.is_closing or not sink.is_full:
            if self._left:
                self._write_left()
                continue
            step = subscription.take()
            if isinstance(step, Step):
                self._write(step.frames)
            elif step is AtHand.IN_LOG:
                self._reading = asyncio.create_task(self._read(), name="read-log")
                return
            else:
                subscription.live_at_tip(self._encode, sink.write)
                return

    def _write(self, frames: Sequence[Frame]) -> None:
        """In pieces, so that a full sink is noticed; the cursor moves when the last one was written."""
        self._left = deque(pieces(list(frames)))
        self._write_left()

    def _write_left(self) -> None:
        left, sink, is_closing = self._left, self._sink, self._subscription.is_closing
        while left and (is_closing or not sink.is_full):
            sink.write(self._encode(left.popleft()))
        if not left:
            self._left = None
            self._subscription.settle()

    async def _read(self) -> None:
        try:
            step = await self._subscription.read()
            if step is not None and not self._has_ended:
                self._write(step.frames)
        except Closed as closed:
            self._end(closed)
        except Exception as error:
            self._end(error)
        finally:
            self._reading = None
        self.go()

    def _end(self, why: Closed | Exception) -> None:
        if not self._has_ended:
            self._has_ended = True
            self._subscription.leave_tip()
            try:
                self._sink.end(why)
            except Exception:  # the transport of one that is just going; whoever woke this pump has others to wake
                logger.exception("the end of a reader could not be told")
