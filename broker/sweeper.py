"""When what was appended is written to the readers at the tip: once at the end of a turn of the loop.

So all events of a turn are one write for each reader. A process that is busy paces itself: the next sweep starts no
sooner than the last one took, so that overload becomes larger writes, not a growing delay (performance.md 4).
"""

import asyncio
from collections.abc import Callable
from time import perf_counter, thread_time

BUSY = 0.6
"""Of the time of the loop's thread: beyond it sweeps are paced."""

LOOK_S = 0.05
"""How long is looked at to say how busy the thread is."""

MOST_PAUSE_S = 0.02

Sweep = Callable[[], None]


class Pace:
    """How long to wait before the next sweep. Pure: times are arguments, in seconds."""

    def __init__(self, now_s: float, used_s: float) -> None:
        self._seen_s, self._seen_used_s = now_s, used_s
        self._is_busy = False
        self._free_at_s = now_s

    def pause_s(self, now_s: float) -> float:
        """From now until the next sweep may start."""
        return max(0.0, self._free_at_s - now_s)

    def swept(self, began_s: float, ended_s: float, used_s: float) -> None:
        """A sweep has ended; `used_s` is the time that the thread has computed since it began to live."""
        passed_s = ended_s - self._seen_s
        if passed_s >= LOOK_S:
            self._is_busy = used_s - self._seen_used_s > BUSY * passed_s
            self._seen_s, self._seen_used_s = ended_s, used_s
        self._free_at_s = ended_s + min(ended_s - began_s, MOST_PAUSE_S) if self._is_busy else ended_s


class Sweeper:
    """Calls what was marked, each once, at the end of the turn or when the pace allows."""

    def __init__(self) -> None:
        self._marked: dict[Sweep, None] = {}
        self._pace = Pace(perf_counter(), thread_time())

    def mark(self, sweep: Sweep) -> None:
        """Have it called soon."""
        if not self._marked:
            pause_s = self._pace.pause_s(perf_counter())
            loop = asyncio.get_running_loop()
            if pause_s > 0:
                loop.call_later(pause_s, self._sweep)
            else:
                loop.call_soon(self._sweep)
        self._marked[sweep] = None

    def _sweep(self) -> None:
        began_s = perf_counter()
        marked, self._marked = self._marked, {}
        for sweep in marked:
            sweep()
        self._pace.swept(began_s, perf_counter(), thread_time())
