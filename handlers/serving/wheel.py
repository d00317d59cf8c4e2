"""A timing wheel: one timer of the loop for many things that are due at about the same times.

A timer of its own for every connection costs several hundred bytes; here it is one entry in a set (performance.md 12).
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)

GRAIN_S = 0.05

logger = logging.getLogger(__name__)


class Wheel(Generic[Item]):
    """Calls `fire` with each item when it is due: never early, and late by at most `grain_s` and what the loop lags.

    What it raises is logged, and keeps no other item from its turn.
    """

    def __init__(self, fire: Callable[[Item], None], grain_s: float = GRAIN_S) -> None:
        self._fire = fire
        self._grain_s = grain_s
        self._due: dict[int, set[Item]] = {}
        self._ticks: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_tick = 0

    def __len__(self) -> int:
        return sum(map(len, self._due.values()))

    def add(self, item: Item, in_s: float) -> int:
        """Fire it after so many seconds; the tick by which it can be taken out again."""
        loop = asyncio.get_running_loop()
        tick = int((loop.time() + in_s) / self._grain_s) + 1
        items = self._due.get(tick)
        if items is None:
            items = self._due[tick] = set()
            heappush(self._ticks, tick)
            self._wind(loop)
        items.add(item)
        return tick

    def discard(self, item: Item, tick: int) -> None:
        """Do not fire it. Nothing happens where it has been fired."""
        items = self._due.get(tick)
        if items is not None:
            items.discard(item)

    def _wind(self, loop: asyncio.AbstractEventLoop) -> None:
        first = self._ticks[0] if self._ticks else None
        if self._timer is not None and first == self._timer_tick:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if first is not None:
            self._timer_tick = first
            self._timer = loop.call_at(first * self._grain_s, self._turn)

    def _turn(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = int(loop.time() / self._grain_s + 1e-6)
        while self._ticks and self._ticks[0] <= now:
            for item in self._due.pop(heappop(self._ticks)):
                self._fire_one(item)
        self._wind(loop)

    def _fire_one(self, item: Item) -> None:
        try:
            self._fire(item)
        except Exception:
            logger.exception("what was due has failed")
