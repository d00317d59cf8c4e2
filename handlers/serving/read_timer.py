"""The timer behind `read_pace`: one per connection. It is left to fire, and looks what is due then, as arming anew
for each request costs more than a firing every few seconds."""

import asyncio
from collections.abc import Callable

from handlers.serving.read_pace import ReadPace

_SLACK_S = 0.001
_PAUSED_RETRY_S = 1.0


class ReadTimer:
    """Calls `on_late` once the pace says that the client is late, unless `is_paused` says that nobody reads.

    A pause is noticed when the client would be late, and then every second; each time the client is given that second.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pace: ReadPace,
        is_paused: Callable[[], bool],
        on_late: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._pace = pace
        self._is_paused = is_paused
        self._on_late = on_late
        self._handle: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Follow the pace; cheap to call after every read, as it arms only where what is armed would fire too late."""
        due_s = self._pace.due_s()
        if due_s is not None and (self._handle is None or self._handle.when() > due_s + _SLACK_S):
            self._arm(due_s)

    def cancel(self) -> None:
        """Stop until `watch` is called again."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, when_s: float) -> None:
        self.cancel()
        self._handle = self._loop.call_at(when_s, self._check)

    def _check(self) -> None:
        self._handle = None
        due_s, now_s = self._pace.due_s(), self._loop.time()
        if due_s is None:
            return
        if self._is_paused():
            self._pace.excuse(_PAUSED_RETRY_S)
            self._arm(now_s + _PAUSED_RETRY_S)
        elif due_s > now_s + _SLACK_S:
            self._arm(due_s)
        else:
            self._on_late()
