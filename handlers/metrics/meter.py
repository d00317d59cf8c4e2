"""The meter of one process: once a second it reads what the parts count, and writes it where all processes can read.

Parts are added by the composition root, each as a function that tells what it counts now.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Self

from broker.counts import Histogram
from handlers.metrics.catalogue import Metric
from handlers.metrics.exposition import expose
from handlers.metrics.ledger import Labels, Ledger, Value
from handlers.metrics.process import GcPauses
from handlers.metrics.requests import RequestCounts

FLUSHES_S = 1.0
LOOKS = 10
"""How often the event loop's lag is looked at between two flushes."""

Reading = tuple[Metric, Labels, Value]
Read = Callable[[], Iterable[Reading]]

logger = logging.getLogger(__name__)


class Meter:
    """What this process counts for the server whose processes share `directory`."""

    def __init__(self, directory: Path) -> None:
        self.requests = RequestCounts()
        self.loop_lag = Histogram()
        self.gc_pauses = GcPauses()
        self._ledger = Ledger(directory)
        self._parts: list[Read] = []
        self._exposing: asyncio.Task[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()

    def add(self, read: Read) -> None:
        """Read this part too, from now on."""
        self._parts.append(read)

    def flush(self) -> None:
        """Write down what all parts count now."""
        for read in self._parts:
            for metric, labels, value in read():
                self._ledger.write(metric, labels, value)

    async def run(self) -> None:
        """Flush once a second until cancelled; no defect ends it."""
        with self.gc_pauses.watching():
            while True:
                for _ in range(LOOKS):
                    await self._look_at_loop()
                try:
                    self.flush()
                except Exception:
                    logger.exception("metrics could not be written down")

    async def exposition(self) -> bytes:
        """The metrics of all processes as text, those of this one as they are now; askers at a time share an answer."""
        if self._exposing is None:
            self.flush()
            self._exposing = asyncio.create_task(asyncio.to_thread(expose, self._ledger.directory), name="exposition")
            self._exposing.add_done_callback(self._end_exposing)
        return await asyncio.shield(self._exposing)

    def _end_exposing(self, done: "asyncio.Task[bytes]") -> None:
        self._exposing = None
        if not done.cancelled():
            # Those who wait have it; where nobody does any more, it is not worth a report.
            done.exception()

    async def _look_at_loop(self) -> None:
        wanted_s = FLUSHES_S / LOOKS
        begun = perf_counter()
        await asyncio.sleep(wanted_s)
        self.loop_lag.observe(max(0.0, perf_counter() - begun - wanted_s))
