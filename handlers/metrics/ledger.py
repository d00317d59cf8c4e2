"""The files in which the processes of a server write their metrics, each its own, for any of them to add up.

They are the files of prometheus-client's multi-process mode, whose collector reads them. Its metric objects are not
used: what is counted here are ints elsewhere, and an environment variable seen at import would be no way to say where.
"""

import os
from contextlib import suppress
from pathlib import Path
from time import time_ns

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.utils import floatToGoString

from broker.counts import Histogram
from handlers.metrics.catalogue import Metric

RESERVED_BYTES = {
    "counter": 1_048_576,
    "gauge_livesum": 65_536,
    "gauge_livemax": 65_536,
    "gauge_livemin": 65_536,
    "histogram": 1_048_576,
}
"""The files, and what is written of each before it is mapped: a mapped page that a full disk has no room for would end
the process."""

Labels = tuple[str, ...]
Value = float | Histogram


class Ledger:
    """The files of one process. `write` as often as you like; only what changed is written."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # Not the process id alone: another process may get it, and would go on counting from what this one counted.
        self._process = f"{os.getpid()}-{time_ns()}"
        self._files = {prefix: self._new_file(prefix, size) for prefix, size in RESERVED_BYTES.items()}
        self._keys: dict[tuple[str, Labels], list[str]] = {}
        self._written: dict[str, float] = {}

    def write(self, metric: Metric, labels: Labels, value: Value) -> None:
        """The metric, for these values of its labels, is `value` now."""
        keys = self._keys.get((metric.name, labels))
        if keys is None:
            keys = self._keys[metric.name, labels] = _keys(metric, labels, value)
        numbers = [*value.counts, value.total] if isinstance(value, Histogram) else [value]
        file = self._files[f"gauge_{metric.mode}" if metric.kind == "gauge" else metric.kind]
        for key, number in zip(keys, numbers, strict=True):
            if self._written.get(key) != number:
                self._written[key] = number
                file.write_value(key, number, 0.0)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """The process ends: its gauges count no more, its counters stay."""
        for file in self._files.values():
            file.close()  # type: ignore[no-untyped-call]
        forget(self.directory, self._process)

    def _new_file(self, prefix: str, reserved_bytes: int) -> MmapedDict:
        # Under its name only when it is whole: somebody may be reading all files.
        unfinished = self.directory / f"{prefix}_{self._process}.new"
        unfinished.write_bytes(bytes(reserved_bytes))
        path = unfinished.rename(unfinished.with_suffix(".db"))
        return MmapedDict(str(path))  # type: ignore[no-untyped-call]


def forget_dead(directory: Path) -> None:
    """Count the gauges of processes no more that ended without closing their ledger."""
    for path in directory.glob("gauge_live*.db"):
        process = path.stem.rpartition("_")[2]
        try:
            os.kill(int(process.partition("-")[0]), 0)
        except ProcessLookupError:
            forget(directory, process)
        except PermissionError:
            continue


def forget(directory: Path, process: str) -> None:
    """Count the gauges of a process no more; another process may be doing the same."""
    with suppress(FileNotFoundError):
        mark_process_dead(process, str(directory))  # type: ignore[no-untyped-call]


def _keys(metric: Metric, labels: Labels, value: Value) -> list[str]:
    """The keys of a value in the file: one, or those of the buckets and the sum."""
    if not isinstance(value, Histogram):
        return [mmap_key(_family(metric), metric.name, list(metric.labels), list(labels), metric.help)]
    bounds = [floatToGoString(bound) for bound in (*value.bounds, float("inf"))]  # type: ignore[no-untyped-call]
    names, bucket = [*metric.labels, "le"], f"{metric.name}_bucket"
    return [
        *(mmap_key(metric.name, bucket, names, [*labels, bound], metric.help) for bound in bounds),
        mmap_key(metric.name, f"{metric.name}_sum", list(metric.labels), list(labels), metric.help),
    ]


def _family(metric: Metric) -> str:
    return metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name
