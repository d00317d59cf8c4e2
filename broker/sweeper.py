"""When what was appended is written to the readers at the tip: once at the end of a turn of the loop.

So all events of a turn are one write for each reader. A process that is overloaded paces itself: the next sweep starts
no sooner than the last one took, so that overload becomes larger writes, not a growing delay (performance.md 4).

What counts is how busy the thread would be without a pace. A thread that is busy for two thirds with a sweep every 20
ms has time for it: pacing would only delay the next one. Where how busy the thread is was asked instead, sweeps waited
10 ms for seconds after anything had disturbed them: with 1,000 readers and 50 events a second, p50 was 11.9 ms instead
of 8.3 and p99 38 instead of 32, and a flood was the same (medians of four alternating rounds).
"""

import asyncio
import logging
from collections.abc import Callable
from time import perf_counter, thread_time

BUSY = 0.85
"""Of the time of the loop's thread: where more is wanted sweeps are paced."""

LOOK_S = 0.1
"""How long is looked at to say how much is wanted."""

MOST_PAUSE_S = 0.02

Sweep = Callable[[], None]

logger = logging.getLogger(__name__)


class Pace:
    """How long to wait before the next sweep. Pure: times are arguments, in seconds."""

    def __init__(self, now_s: float, used_s: float) -> None:
        self._seen_s, self._seen_used_s = now_s, used_s
        self._wanted = self._sweeps = 0
        self._sweeping_s = 0.0
        self._is_busy = False
        self._free_at_s = now_s

    def pause_s(self, now_s: float) -> float:
        """From now until the next sweep may start."""
        return max(0.0, self._free_at_s - now_s)

    def want(self) -> None:
        """A turn of the loop has something to sweep: without a pace that is a sweep."""
        self._wanted += 1

    def swept(self, began_s: float, ended_s: float, used_s: float) -> None:
        """A sweep has ended; `used_s` is the time that the thread has computed since it began to live."""
        self._sweeps += 1
        self._sweeping_s += ended_s - began_s
        if ended_s - self._seen_s >= LOOK_S:
            self._look(ended_s, used_s)
        self._free_at_s = ended_s + min(ended_s - began_s, MOST_PAUSE_S) if self._is_busy else ended_s

    def _look(self, now_s: float, used_s: float) -> None:
        saved_s = (self._wanted - self._sweeps) * self._sweeping_s / self._sweeps
        self._is_busy = used_s - self._seen_used_s + saved_s > BUSY * (now_s - self._seen_s)
        self._seen_s, self._seen_used_s = now_s, used_s
        self._wanted = self._sweeps = 0
        self._sweeping_s = 0.0


class Sweeper:
    """Calls what was marked, each once, at the end of the turn or when the pace allows."""

    def __init__(self) -> None:
        self._marked: dict[Sweep, None] = {}
        self._is_counted = False
        self._pace = Pace(perf_counter(), thread_time())

    def mark(self, sweep: Sweep) -> None:
        """Have it called soon."""
        if not self._is_counted:
            self._count_turn()
        self._marked[sweep] = None

    def _count_turn(self) -> None:
        self._is_counted = True
        self._pace.want()
        loop, pause_s = asyncio.get_running_loop(), self._pace.pause_s(perf_counter())
        if pause_s > 0:
            loop.call_soon(self._end_turn)
        if self._marked:
            return
        if pause_s > 0:
            loop.call_later(pause_s, self._sweep)
        else:
            loop.call_soon(self._sweep)

    def _end_turn(self) -> None:
        self._is_counted = False

    def _sweep(self) -> None:
        began_s = perf_counter()
        marked, self._marked = self._marked, {}
        self._is_counted = False
        for sweep in marked:
            try:
                sweep()
            except Exception:  # a defect of one: the others have their readers
                logger.exception("a sweep failed")
        self._pace.swept(began_s, perf_counter(), thread_time())
