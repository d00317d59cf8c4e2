"""What all processes of a server wrote down, added up, as the text that Prometheus reads."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from handlers.metrics.ledger import forget_dead

MEDIA_TYPE = "text/plain"
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Shared(Collector):
    """The metrics of all ledgers in a directory, sorted by name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[object]:  # type: ignore[override]
        """Read everything anew."""
        forget_dead(self._directory)
        metrics = MultiProcessCollector(None, str(self._directory)).collect()  # type: ignore[no-untyped-call]
        return sorted(metrics, key=lambda metric: str(metric.name))


def expose(directory: Path) -> bytes:
    """The text format 0.0.4; it takes milliseconds of computing, so it is for a thread."""
    return generate_latest(Shared(directory))
