"""What a process uses: CPU, memory, and the pauses that Python's garbage collection costs."""

import gc
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broker.counts import Histogram

GENERATIONS = 3
_STATM = Path("/proc/self/statm")


class Cpu:
    """CPU seconds of this process, and the share of a core that it used between the last two looks."""

    def __init__(self) -> None:
        self.seconds = time.process_time()
        self.ratio = 0.0
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Look anew; a look that follows at once changes no ratio."""
        seconds, now = time.process_time(), time.monotonic()
        if now - self._looked_at > 0.1:
            self.ratio = (seconds - self.seconds) / (now - self._looked_at)
            self.seconds, self._looked_at = seconds, now


class GcPauses:
    """Seconds that collections took, by generation; counted while `watching`."""

    def __init__(self) -> None:
        self.by_generation = tuple(Histogram() for _ in range(GENERATIONS))
        self._begun = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count while the block runs."""
        gc.callbacks.append(self._note)
        try:
            yield
        finally:
            gc.callbacks.remove(self._note)

    def _note(self, phase: str, facts: dict[str, Any]) -> None:
        if phase == "start":
            self._begun = time.perf_counter()
        else:
            self.by_generation[facts["generation"]].observe(time.perf_counter() - self._begun)


def resident_bytes() -> int:
    """Memory in use; where the system does not tell (it is not Linux), the most that ever was."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
