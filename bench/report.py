"""What the load client reports of a run, and whether the run counts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.histogram import Histogram, parse_histogram

US_PER_S = 1e6


@dataclass(frozen=True, slots=True)
class Busy:
    """What a stretch of time was used for: CPU by watched process and by the client, and of each core by anybody.

    Microseconds; a core's is what it worked, and what the hypervisor took from it.
    """

    wall_us: float
    cpu_us: Mapping[int, int]
    client_us: int
    cores_us: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted between the end of the warm-up and the end of the run, and until all had settled.

    `deliveries` and `answers` are of the `seconds` of the run; the `all_` ones and what was used go on until everything
    published was delivered, so that one divided by the other is exact.
    """

    seconds: float
    settle_seconds: float
    settled: bool
    deliveries: int
    all_deliveries: int
    reads: int
    answers: int
    all_answers: int
    unsent: int
    user_us: Mapping[int, int]
    used: Busy
    delivery: Histogram
    answer: Histogram


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run; `window` is None where nothing was published. Times are microseconds, memory bytes, by process.

    `broken` counts connections and requests that did not go as they should, and `trouble` tells of the first of all.
    """

    subscribers: int
    subscribed: int
    expected: int
    delivered: int
    gaps: int
    duplicates: int
    stray: int
    broken: int
    trouble: str
    requests_sent: int
    subscribe_cpu_us: Mapping[int, int]
    caught_up_seconds: float
    caught_up_used: Busy
    caught_up: Histogram
    rss_start: Mapping[int, int]
    rss_idle: Mapping[int, int]
    rss_stalled: Mapping[int, int]
    rss_resumed: Mapping[int, int]
    window: Window | None


def parse_report(found: Mapping[str, Any]) -> Report:
    """The report of the load client's JSON."""
    window = found.get("window")
    return Report(
        subscribers=found["subscribers"],
        subscribed=found["subscribed"],
        expected=found["expected"],
        delivered=found["delivered"],
        gaps=found["gaps"],
        duplicates=found["duplicates"],
        stray=found["stray"],
        broken=found["refused"] + found["closed"] + found["errors"],
        trouble=found["trouble"],
        requests_sent=found["requests_sent"],
        subscribe_cpu_us=_sums(found["subscribe_cpu_us"]),
        caught_up_seconds=found["caught_up_seconds"],
        caught_up_used=Busy(
            US_PER_S * found["caught_up_seconds"],
            _sums(found["caught_up_cpu_us"]),
            found["caught_up_client_us"],
            _cores(found["caught_up_cores_us"]),
        ),
        caught_up=parse_histogram(found["caught_up_ns"]),
        rss_start=_by_pid(found["rss_start"]),
        rss_idle=_by_pid(found["rss_idle"]),
        rss_stalled=_by_pid(found.get("rss_stalled", {})),
        rss_resumed=_by_pid(found.get("rss_resumed", {})),
        window=None if window is None else _parse_window(window),
    )


def fault_of(report: Report, *, caught_up: int = 0) -> str:
    """Why the run does not count, '' when it does. `caught_up` is how many readers were to read a whole log."""
    window = report.window
    wrong = report.gaps + report.duplicates + report.stray
    if report.broken:
        return report.trouble or "a connection failed"
    if wrong:
        return f"{report.gaps} gaps, {report.duplicates} duplicates, {report.stray} stray events: {report.trouble}"
    if report.subscribed < report.subscribers:
        return f"only {report.subscribed} of {report.subscribers} subscribed: {report.trouble}"
    if report.caught_up.count < caught_up:
        return f"only {report.caught_up.count} of {caught_up} caught up: {report.trouble}"
    if window is not None and window.unsent:
        return f"overloaded: {window.unsent} requests of the schedule never went out"
    if window is not None and not window.settled:
        share = report.delivered / report.expected if report.expected else 0
        return f"overloaded: {share:.0%} of the events had arrived {window.settle_seconds:.0f} s after the end"
    return ""


def total(by_pid: Mapping[int, int], pids: Iterable[int]) -> int:
    """The sum over some processes."""
    return sum(by_pid.get(pid, 0) for pid in pids)


def _parse_window(found: Mapping[str, Any]) -> Window:
    return Window(
        seconds=found["seconds"],
        settle_seconds=found["settle_seconds"],
        settled=found["settled"],
        deliveries=found["deliveries"],
        all_deliveries=found["all_deliveries"],
        reads=found["reads"],
        answers=found["answers"],
        all_answers=found["all_answers"],
        unsent=found["unsent"],
        user_us={int(pid): user for pid, (user, _) in found["cpu_us"].items()},
        used=Busy(
            US_PER_S * (found["seconds"] + found["settle_seconds"]),
            _sums(found["cpu_us"]),
            found["client_us"],
            _cores(found["cores_us"]),
        ),
        delivery=parse_histogram(found["delivery_ns"]),
        answer=parse_histogram(found["answer_ns"]),
    )


def _sums(found: Mapping[str, Any]) -> dict[int, int]:
    return {int(pid): sum(times) for pid, times in found.items()}


def _cores(found: Iterable[Iterable[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((busy, stolen) for busy, stolen in found)


def _by_pid(found: Mapping[str, int]) -> dict[int, int]:
    return {int(pid): value for pid, value in found.items()}
