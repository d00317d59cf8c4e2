"""The clock that decides: the engine's, and in test mode an offset to it that only rises (design section 5).

The offset is an engine key, so all processes of a server share it. Data that was made with an offset has ids of a time
that has not come, so it is not served with the real clock.
"""

from broker.storage.connect import answered
from broker.storage.engine import Engine, EngineUnfit
from broker.storage.keys import partition_keys

CLOCK_KEY = "tidemark:clock"
MOST_MS = 100 * 365 * 86_400_000
"""How far the clock may be moved in all: a hundred years, as ids must stay spellable."""


class Clock:
    """The offset of an engine, taken over into `engine.clock_offset_ms`. Without `is_test` it stays 0."""

    def __init__(self, engine: Engine, *, is_test: bool) -> None:
        self._engine = engine
        self.is_test = is_test

    async def start(self) -> None:
        """Take the offset over; raises `EngineUnfit` where there is one and the clock is to be the real one."""
        if self.is_test:
            await self.look()
        elif await self._offset():
            raise EngineUnfit(
                "The data was made with a test clock and holds times that have not come: "
                'set [clock] mode = "test", or use another data directory.'
            )

    async def look(self) -> None:
        """Take over what another process may have advanced; without effect on the real clock."""
        if self.is_test:
            offset_ms = await self._offset()
            # Only now: it may have been moved here while the answer was on its way, and it never goes back.
            self._engine.clock_offset_ms = max(self._engine.clock_offset_ms, offset_ms)

    async def advance(self, ms: int) -> int:
        """Move the clock forward for everybody, and wake the schedulers; the offset that it has now."""
        offset = int(await answered(self._engine.client.incrby(CLOCK_KEY, ms)))
        self._engine.clock_offset_ms = max(self._engine.clock_offset_ms, offset)
        for partition in range(self._engine.partitions):
            own = partition_keys(partition)
            for topic in (own.timer_topic, own.delivery_topic):
                await answered(self._engine.client.execute_command("SPUBLISH", topic, "0"))  # type: ignore[no-untyped-call]
        return offset

    async def _offset(self) -> int:
        return int(await answered(self._engine.client.get(CLOCK_KEY)) or 0)
