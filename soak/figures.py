"""How long each fault was felt, and how long publishes took in faults and outside. Pure.

Seconds of one fault: `length`; `no_ack`, the longest time in which no publish was acknowledged; `silence`, the longest
in which a reader that reads everything was given nothing; `back`, from the fault's end until every publisher had an
acknowledgement and every such reader an event; `own`, how late the clients' own loop was meanwhile, which the others
contain. All but `length` are None where nobody was there to feel it.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from soak.history import Fault, History, Seen


class Felt(NamedTuple):
    """What one kind of fault cost, the worst of its `times`."""

    name: str
    times: int
    length_s: float
    no_ack_s: float | None
    silence_s: float | None
    back_s: float | None
    own_s: float | None


class Latency(NamedTuple):
    """How long publishes took, from the first try to the acknowledgement."""

    publishes: int
    p50_ms: float
    p99_ms: float
    most_ms: float


def felt_faults(history: History) -> list[Felt]:
    """One line a kind of fault, in the order of their first appearance."""
    acks = acks_by_publisher(history)
    arrivals = [sorted(at_s) for at_s in _arrivals(history)]
    everyone = [*acks.values(), *arrivals]
    all_acks = sorted(at_s for times in acks.values() for at_s in times)
    kinds: defaultdict[str, list[Felt]] = defaultdict(list)
    for fault in history.faults:
        felt = Felt(
            fault.name,
            1,
            fault.ended_s - fault.began_s,
            longest_pause(all_acks, fault),
            worst(longest_pause(times, fault) for times in arrivals),
            worst(first_after(times, fault) for times in everyone),
            worst(lag.late_s for lag in history.lags if fault.began_s <= lag.at_s <= fault.until_s),
        )
        kinds[fault.name].append(felt)
    return [_worst_of(found) for found in kinds.values()]


def longest_pause(times: Sequence[float], fault: Fault) -> float | None:
    """The longest time between two of these moments that touches the fault or its consequences; None with no two.

    What lasts beyond is counted up to there: it may be another fault's.
    """
    first = max(bisect_right(times, fault.began_s) - 1, 0)
    last = bisect_left(times, fault.until_s) + 1
    around = times[first:last]
    return max((min(after, fault.until_s) - before for before, after in pairwise(around)), default=None)


def first_after(times: Sequence[float], fault: Fault) -> float | None:
    """From the fault's end to the first of these moments after it; None for somebody who was gone by then."""
    number = bisect_left(times, fault.ended_s)
    return times[number] - fault.ended_s if number < len(times) else None


def worst(values: Iterable[float | None]) -> float | None:
    """The largest that is known."""
    return max((value for value in values if value is not None), default=None)


def latencies(history: History) -> tuple[Latency, Latency]:
    """Of publishes begun outside faults, and of those begun while one was felt (until service for all)."""
    acks = acks_by_publisher(history)
    spans = [(fault.began_s, fault.ended_s + (_back(acks, fault) or 0.0)) for fault in history.faults]
    inside: list[float] = []
    outside: list[float] = []
    for publish in history.publishes:
        if publish.acked_s is not None:
            is_inside = any(begin <= publish.began_s <= end for begin, end in spans)
            (inside if is_inside else outside).append(1000 * (publish.acked_s - publish.began_s))
    return latency_of(outside), latency_of(inside)


def latency_of(values_ms: Iterable[float]) -> Latency:
    """The percentiles of these durations, by nearest rank; NaN for none."""
    values = sorted(values_ms)
    if not values:
        return Latency(0, math.nan, math.nan, math.nan)
    return Latency(len(values), _percentile(values, 50), _percentile(values, 99), values[-1])


def acks_by_publisher(history: History) -> dict[str, list[float]]:
    """When each publisher was acknowledged, in order."""
    acks: defaultdict[str, list[float]] = defaultdict(list)
    for publish in history.publishes:
        if publish.acked_s is not None:
            acks[publish.publisher].append(publish.acked_s)
    return {publisher: sorted(times) for publisher, times in acks.items()}


def _back(acks: dict[str, list[float]], fault: Fault) -> float | None:
    return worst(first_after(times, fault) for times in acks.values())


def _arrivals(history: History) -> Iterator[list[float]]:
    for reading in history.readings:
        if reading.is_live:
            yield [step.at_s for step in reading.steps if isinstance(step, Seen)]


def _percentile(values: Sequence[float], percent: float) -> float:
    return values[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _worst_of(found: Sequence[Felt]) -> Felt:
    return Felt(
        found[0].name,
        len(found),
        max(each.length_s for each in found),
        worst(each.no_ack_s for each in found),
        worst(each.silence_s for each in found),
        worst(each.back_s for each in found),
        worst(each.own_s for each in found),
    )
