"""Turns: changes of one thing made by this process wait for one another, so that only other processes can be faster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from broker.errors import Unavailable


class Turns:
    """A queue for each key that somebody has a turn on or waits for."""

    def __init__(self, *, wait_s: float = 5.0) -> None:
        self._wait_s = wait_s
        # Weak: a queue is forgotten with the last one in it.
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Have the turn while the block runs; raises `Unavailable` when it does not come within `wait_s`."""
        queue = self._queues.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(self._wait_s):
                await queue.acquire()
        except TimeoutError:
            raise Unavailable("Too many changes of this wait already", retry_after_s=1) from None
        try:
            yield
        finally:
            queue.release()
