"""Background trimming: removes what retention no longer keeps, in bounded steps, never as part of an append.

Whatever adds events notes in its partition's `trims` when a log will have something to remove (`lua/parts/log.lua`), so
a sweep looks at due logs only.
What a webhook has still to deliver is kept longer, up to a bound (design section 5).
Several processes may sweep at once: a step is atomic, and one that finds nothing does nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from broker.channels import ChannelRecord
from broker.errors import NotFound, Refusal
from broker.ids import Position
from broker.storage.appender import Retention
from broker.storage.channels import Channels, keys_of
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import partition_keys
from broker.storage.log import Stale
from broker.storage.scripts import TRIM

STEP_EVENTS = 100
STEPS_A_SWEEP = 100
DUE_AT_ONCE = 100

logger = logging.getLogger(__name__)


class Wait(NamedTuple):
    """`read` tells up to where all followers of a log read, None where it has none; so long they are waited for."""

    read: Callable[[ChannelRecord], Awaitable[Position | None]]
    most_ms: int


class Trimmer:
    """Trims all logs of an engine, forever. `removed` are the events that it removed so far."""

    def __init__(
        self, engine: Engine, channels: Channels, retention: Retention, wait: Wait, *, interval_s: float
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._retention = retention
        self._wait = wait
        self._interval_s = interval_s
        self.removed = 0

    async def run(self) -> None:
        """Sweep every `interval_s` until cancelled; what fails is tried again next time."""
        while True:
            try:
                self.removed += await self.sweep()
            except Refusal as refusal:
                logger.warning("trimming waits: %s", refusal.message)
            except Exception:
                logger.exception("trimming failed; the next sweep tries again")
            await asyncio.sleep(self._interval_s)

    async def sweep(self) -> int:
        """Trim every log that is due now, or a good part of it; answers the number of events removed."""
        removed = 0
        refused: set[int] = set()
        for partition, channel_id in await self._due():
            if partition in refused:
                continue
            try:
                channel = await self._channels.refresh(channel_id)
                removed += await self._trim(channel, await self._wait.read(channel))
            except (NotFound, Stale):
                # Deleted meanwhile, and its mark with it; or changed, then it is due at once.
                continue
            except Refusal as refusal:
                # In a cluster the other partitions may go on.
                logger.warning("trimming in partition %d waits: %s", partition, refusal.message)
                refused.add(partition)
            except Exception:
                logger.exception("trimming %s failed; the next sweep tries again", channel_id)
        return removed

    async def _due(self) -> list[tuple[int, str]]:
        """The channels whose logs are due, each with the partition where it lives."""
        pipeline, clocks = self._engine.steady.pipeline(transaction=False), await self._engine.clocks()
        for number, now_ms in clocks.items():
            pipeline.zrangebyscore(partition_keys(number).trims, "-inf", now_ms, start=0, num=DUE_AT_ONCE)
        parts = zip(clocks, await answered(pipeline.execute(raise_on_error=False)), strict=True)
        return [(number, each.decode()) for number, part in parts if not isinstance(part, Exception) for each in part]

    async def _trim(self, channel: ChannelRecord, read: Position | None) -> int:
        keys, total = keys_of(channel), 0
        age_ms = channel.retention_ms(self._retention.days)
        most = channel.retention_events(self._retention.events)
        for _ in range(STEPS_A_SWEEP):
            removed = await TRIM(
                self._engine.steady,
                [keys.meta, keys.stream, keys.replies, partition_keys(channel.partition).trims],
                [
                    *(self._engine.clock_offset_ms, age_ms, most, STEP_EVENTS, channel.id, keys.topic, channel.version),
                    *(read or ("", "")),
                    self._wait.most_ms,
                ],
            )
            total += max(0, removed)
            if removed < STEP_EVENTS:
                # Done, or the record was changed: then the channel is due at once.
                break
        return total
