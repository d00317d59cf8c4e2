"""Background trimming: removes what retention no longer keeps, in bounded steps, never as part of an append.

`append.lua` notes in a partition's `trims` when a log will have something to remove, so a sweep looks at due logs only.
Several processes may sweep at once: a step is atomic, and one that finds nothing does nothing.
"""

import asyncio
import logging

from broker.errors import NotFound, Refusal
from broker.storage.appender import Retention
from broker.storage.channels import Channels, keys_of
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import partition_keys
from broker.storage.scripts import TRIM

STEP_EVENTS = 100
DUE_AT_ONCE = 100

logger = logging.getLogger(__name__)


class Trimmer:
    """Trims all logs of an engine, forever. `removed` are the events that it removed so far."""

    def __init__(self, engine: Engine, channels: Channels, retention: Retention, *, interval_s: float) -> None:
        self._engine = engine
        self._channels = channels
        self._retention = retention
        self._interval_s = interval_s
        self.removed = 0

    async def run(self) -> None:
        """Sweep every `interval_s` until cancelled; an engine that does not answer is asked again next time."""
        while True:
            try:
                self.removed += await self.sweep()
            except Refusal as refusal:
                logger.warning("trimming waits: %s", refusal.message)
            await asyncio.sleep(self._interval_s)

    async def sweep(self) -> int:
        """Trim every log that is due now, to the end; answers the number of events removed."""
        removed = 0
        now_ms = await self._engine.now_ms()
        for number in range(self._engine.partitions):
            trims = partition_keys(number).trims
            due = await answered(self._engine.client.zrangebyscore(trims, "-inf", now_ms, start=0, num=DUE_AT_ONCE))
            for channel_id in due:
                removed += await self._trim(channel_id.decode(), trims)
        return removed

    async def _trim(self, channel_id: str, trims: str) -> int:
        try:
            channel = await self._channels.refresh(channel_id)
        except NotFound:
            await answered(self._engine.client.zrem(trims, channel_id))
            return 0
        keys = keys_of(channel)
        age_ms = channel.retention_ms(self._retention.days)
        most = channel.retention_events(self._retention.events)
        total = 0
        while True:
            removed = int(
                await TRIM(
                    self._engine.client,
                    [keys.meta, keys.stream, keys.replies, trims],
                    [self._engine.clock_offset_ms, age_ms, most, STEP_EVENTS, channel_id, keys.topic],
                )
            )
            total += removed
            if removed < STEP_EVENTS:
                return total
