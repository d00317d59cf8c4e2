"""Lifetimes: documents that have ended are removed in the background, with their places in the indexes.

From its end on a document is absent for every reader and every commit; this only gives its memory back.
"""

import asyncio
import logging

from broker.errors import Refusal
from broker.storage.engine import Engine
from broker.storage.keys import index_key, partition_keys
from broker.storage.scripts import EXPIRE_DOCUMENTS

STEP_DOCUMENTS = 100
STEPS_A_SWEEP = 20

logger = logging.getLogger(__name__)


class Lifetimes:
    """Removes what has ended, every `interval_s`, in bounded steps; `removed` counts. `run` until cancelled."""

    def __init__(self, engine: Engine, *, interval_s: float) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self.removed = 0

    async def run(self) -> None:
        """Sweep for ever; a sweep that fails is made good by the next."""
        while True:
            try:
                self.removed += await self.sweep()
            except Refusal as refusal:
                logger.warning("documents that have ended wait: %s", refusal.message)
            except Exception:
                logger.exception("removing documents failed; the next sweep tries again")
            await asyncio.sleep(self._interval_s)

    async def sweep(self) -> int:
        """Remove what has ended in every partition, or a good part of it; answers how many documents.

        A partition that fails is told in the log. Raises `Unavailable` where no node answers.
        """
        removed = 0
        for partition in sorted(await self._engine.answering()):
            try:
                removed += await self._sweep(partition)
            except Refusal as refusal:
                # In a cluster the other partitions may go on.
                logger.warning("documents that have ended in partition %d wait: %s", partition, refusal.message)
            except Exception:
                logger.exception("removing documents in partition %d failed; the next sweep tries again", partition)
        return removed

    async def _sweep(self, partition: int) -> int:
        keys, total = [partition_keys(partition).expiries], 0
        words = [self._engine.clock_offset_ms, index_key(partition, ""), STEP_DOCUMENTS]
        for _ in range(STEPS_A_SWEEP):
            removed = await EXPIRE_DOCUMENTS(self._engine.steady, keys, words)
            total += removed
            if removed < STEP_DOCUMENTS:
                break
        return total
