"""A reader: where it is, what it was given and told. It comes back with its cursor, whatever happens."""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed

from soak.history import Gap, History, Reading, Seen, parse_event
from soak.publishers import LAST
from soak.stage import Broker, Stage
from soak.ways import BROKEN, PAUSE_S

CURSOR_OF_REASON = re.compile(r"cursor=(\w{26})")
EXPIRED = 4410


class Reader:
    """One reading under way. While it is `held` it has left, and comes back with its cursor when it is let go."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.cursor = reading.start
        self.is_done = False
        self._may_go = asyncio.Event()
        self._may_go.set()

    @property
    def query(self) -> dict[str, str]:
        """What it asks a door for."""
        types = self.reading.types
        return {"cursor": self.cursor, **({} if types is None else {"types": ",".join(sorted(types))})}

    def take(self, told: Mapping[str, Any]) -> None:
        """It was given an event."""
        event = parse_event(told)
        self.reading.steps.append(Seen(event, time.monotonic()))
        self.move(event.id)
        self.is_done = self.is_done or event.type == LAST or event.id == self.reading.until

    def move(self, cursor: str) -> None:
        """It was told a place to go on from; a reader does not go back."""
        self.cursor = max(self.cursor, cursor)

    def miss(self, through: str) -> None:
        """It was told that everything up to this id is no longer kept."""
        self.reading.steps.append(Gap(through, time.monotonic()))
        self.move(through)

    def leave(self, error: BaseException) -> None:
        """Its connection broke; a close reason may tell the cursor, or a gap."""
        if isinstance(error, ConnectionClosed) and error.rcvd is not None:
            self.close(error.rcvd.code, error.rcvd.reason)

    def close(self, code: int, reason: str) -> None:
        """It was closed with this code."""
        if found := CURSOR_OF_REASON.search(reason):
            if code == EXPIRED:
                self.miss(found[1])
            else:
                self.move(found[1])

    def hold(self) -> None:
        """Let it stay away, from its next break on."""
        self._may_go.clear()

    def let_go(self) -> None:
        """Let it come back."""
        self._may_go.set()

    @property
    def is_held(self) -> bool:
        """Whether it is to stay away."""
        return not self._may_go.is_set()

    async def come(self) -> None:
        """Return when it may connect."""
        await self._may_go.wait()


Door = Callable[[Stage, Broker, Reader], Awaitable[None]]


async def follow(stage: Stage, history: History, reader: Reader, door: Door, chance: random.Random) -> None:
    """Read until everything was read; what is no break is a defect, and is told."""
    while not reader.is_done:
        await reader.come()
        try:
            await door(stage, chance.choice(stage.brokers), reader)
        except BROKEN as error:
            reader.leave(error)
        except Refused as refused:
            history.remarks.append(f"{reader.reading.reader}: {refused}")
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE_S))


class Refused(Exception):
    """A broker answered what it should not; the text says what."""
