"""The commands of one socket that wait for their turn: bounded, in order of arrival.

The rest waits on the connection, as nobody takes it from there. Publishes that wait one after another are taken
together, so that they share a call to the engine.
"""

import asyncio
from collections import deque

from handlers.channels.multiplex.commands import Asked, Publish


class Inbox:
    """At most `most` commands; one task puts, one takes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Asked] = deque()
        self._filled = asyncio.Event()
        self._has_room = asyncio.Event()

    async def put(self, asked: Asked) -> None:
        """Add one, once there is room."""
        while len(self._waiting) >= self._most:
            self._has_room.clear()
            await self._has_room.wait()
        self._waiting.append(asked)
        self._filled.set()

    async def take(self) -> list[Asked]:
        """The publishes at the head, or the one other command that stands there; waits while there is none."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        taken = [self._waiting.popleft()]
        if isinstance(taken[0].command, Publish):
            while self._waiting and isinstance(self._waiting[0].command, Publish):
                taken.append(self._waiting.popleft())
        self._has_room.set()
        return taken
