"""Work that a process has begun beside what it answers, and must see to its end: calls, polls of feeds."""

import asyncio
import logging
from collections.abc import Callable, Coroutine

DRAIN_S = 5.0

logger = logging.getLogger(__name__)


class UnderWay:
    """The tasks of one kind of work. One that fails is logged with `failed`: a timer is left that begins it again."""

    def __init__(self, name: str, failed: str) -> None:
        self._name = name
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tasks)

    def start(self, work: Coroutine[None, None, None], at_end: Callable[[], None] = lambda: None) -> None:
        """Begin this; `at_end` is called when it is over, however it ended."""

        def done(task: "asyncio.Task[None]") -> None:
            self._tasks.discard(task)
            at_end()
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error(self._failed, exc_info=error)

        task = asyncio.create_task(work, name=self._name)
        self._tasks.add(task)
        task.add_done_callback(done)

    async def drained(self) -> None:
        """Wait for all of them, or for a while; then they are cancelled, and others do what is left at once."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=DRAIN_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=DRAIN_S)
