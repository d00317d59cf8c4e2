"""What one socket is sent next: answers, events in turns, positions, and the end. It decides; `socket` writes.

Everything is decided when all that was decided before is written, so that each cursor that is told is exact. What waits
here is bounded: answers by the commands under way, one turn of events, one page of a log.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from broker.closing import NOT_VOUCHED, RESTART, TOKEN_EXPIRED, Closed, CloseReason
from broker.rotation import Rotation
from broker.subscription import Step
from handlers.channels.multiplex.followed import Followed
from handlers.channels.multiplex.messages import render_closing, render_ended, render_position
from handlers.serving.unblock import Unblock

TURN_BYTES = 65_536
PROCESS_ENDS = frozenset((RESTART.code, NOT_VOUCHED.code))

Render = Callable[[], bytes]


class Turn(NamedTuple):
    """Text frames to write, in order, and the close after them (None: the socket goes on)."""

    texts: list[bytes]
    close: CloseReason | None


class Outgoing:
    """One socket's way out. `next` is called by one task; the other methods by anybody in the loop."""

    def __init__(self, *, step_events: int, position_s: float, unblock: Unblock) -> None:
        self.rotation = Rotation(self._wake, step_events=step_events, turn_bytes=TURN_BYTES)
        self._position_s = position_s
        self._unblock = unblock
        self._answers: deque[Render] = deque()
        self._unanswered = 0
        self._moved: set[str] = set()
        self._position_timer: asyncio.TimerHandle | None = None
        self._is_position_due = False
        self._end: CloseReason | None = None
        self._wanted = asyncio.Event()
        self._taken = asyncio.Event()
        self._taken.set()

    @property
    def is_ending(self) -> bool:
        """Whether the socket is to be closed: commands that are not under way by now are not executed."""
        return self._end is not None

    def expect(self, answers: int) -> None:
        """Commands are under way: the socket is not closed before so many more answers were given."""
        self._unanswered += answers

    def answer(self, render: Render) -> None:
        """Say this next; rendered when everything before it is written."""
        self._answers.append(render)
        self._unanswered -= 1
        self._taken.clear()
        self._wake()

    async def taken(self) -> None:
        """Return when no answer waits: a client that does not read its answers gets no more of them."""
        await self._taken.wait()

    def end(self, reason: CloseReason) -> None:
        """Close the socket with the cursors of all its channels, also one that is not read; the first reason stays."""
        self._end = self._end or reason
        self._unblock()
        self._wake()

    async def next(self, followed: Followed) -> Turn:
        """What to write now; calling again says that it was written."""
        while True:
            # Also a turn that had nothing to write is written.
            self.rotation.settle()
            self._wanted.clear()
            texts = self._take_answers()
            if self._end is None:
                texts += self._take_position(followed)
                texts += self._take_events(followed)
            elif not self._unanswered:
                return Turn([*texts, render_closing(followed.cursors())], self._end)
            if texts:
                return Turn(texts, None)
            if self._end is not None or not self.rotation.is_ready:
                await self._wanted.wait()

    async def aclose(self) -> None:
        """Stop what runs beside it."""
        if self._position_timer is not None:
            self._position_timer.cancel()
        await self.rotation.aclose()

    def _wake(self) -> None:
        self._wanted.set()

    def _take_answers(self) -> list[bytes]:
        texts = [render() for render in self._answers]
        self._answers.clear()
        self._taken.set()
        return texts

    def _take_events(self, followed: Followed) -> list[bytes]:
        texts: list[bytes] = []
        for name, outcome in self.rotation.turn():
            if isinstance(outcome, Step):
                texts += [frame.wire for frame in outcome.frames]
                self._note_move(name, outcome)
            else:
                texts += self._ended(followed, name, outcome)
        return texts

    def _ended(self, followed: Followed, name: str, closed: Closed) -> list[bytes]:
        is_expired = closed.code == TOKEN_EXPIRED.code
        if closed.code in PROCESS_ENDS or (is_expired and not followed.has_public()):
            self.end(CloseReason(closed.code, closed.reason))
            return []
        followed.drop(name)
        return [render_ended(name, closed)]

    def _note_move(self, name: str, step: Step) -> None:
        """A client knows where it is by the last event; a step that went further is told, not too often."""
        if step.frames and step.frames[-1].id == step.cursor:
            self._moved.discard(name)
            return
        self._moved.add(name)
        if self._position_timer is None:
            self._position_timer = asyncio.get_running_loop().call_later(self._position_s, self._tell_position)

    def _tell_position(self) -> None:
        self._position_timer = None
        self._is_position_due = True
        self._wake()

    def _take_position(self, followed: Followed) -> list[bytes]:
        if not self._is_position_due:
            return []
        self._is_position_due = False
        moved, self._moved = self._moved, set()
        cursors = {name: cursor for name, cursor in followed.cursors().items() if name in moved}
        return [render_position(cursors)] if cursors else []
