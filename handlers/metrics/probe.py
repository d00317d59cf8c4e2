"""The engine, asked once a second how it is."""

import asyncio
import logging

from broker.counts import Histogram, HubCounts
from broker.errors import Refusal
from broker.storage.engine import Engine
from broker.storage.vitals import Vitals, look

PROBE_S = 1.0

logger = logging.getLogger(__name__)


class Probe:
    """`is_up` says whether the last question was answered, `vitals` what was answered last."""

    def __init__(self, engine: Engine, counts: HubCounts) -> None:
        self._engine = engine
        self._counts = counts
        self.is_up = True  # nothing is served before the engine has answered
        self.vitals: Vitals | None = None
        self.replies = Histogram()

    async def run(self) -> None:
        """Ask until cancelled; no defect ends it, as it would look like an engine that is down."""
        while True:
            try:
                await self.ask()
            except Refusal:
                self.is_up = False
            except Exception:
                self.is_up = False
                logger.exception("the engine could not be looked at")
            await asyncio.sleep(PROBE_S)

    async def ask(self) -> None:
        """Ask once; raises `Unavailable`."""
        self.vitals = vitals = await look(self._engine)
        self.is_up = True
        self.replies.observe(vitals.reply_s)
        self._counts.clock_ahead_s = vitals.clock_ahead_s
