"""What the runs of all rounds say together: medians and spreads, of ratios that are taken inside one round. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of one variant measured, by name. `void` says why the run does not count, '' when it does."""

    values: Mapping[str, float] = field(default_factory=dict)
    void: str = ""


Round = Mapping[str, Sample]
"""The runs of one round, by variant."""


class Missing(Exception):
    """A figure cannot be had from a round; the text says why."""


@dataclass(frozen=True, slots=True)
class Value:
    """A figure of one round, made of the measured `names`; raises `Missing`."""

    names: tuple[str, ...]
    compute: Callable[[Round], float]

    def __call__(self, runs: Round) -> float:
        """The figure of this round."""
        return self.compute(runs)

    @property
    def is_by_clock(self) -> bool:
        """Whether it is a time or a rate, which everything else that runs spoils, and not CPU time or memory."""
        return any(name.endswith(("_ms", "_per_s", ".seconds")) for name in self.names)


class Spread(NamedTuple):
    """The values of a figure over all rounds."""

    middle: float
    lowest: float
    highest: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A figure over all rounds: its spread (None where no round has it), and why rounds are missing."""

    spread: Spread | None
    missing: tuple[str, ...] = ()


def take(name: str) -> Value:
    """The figure `variant.value`, as it was measured."""
    variant, _, key = name.partition(".")

    def value(runs: Round) -> float:
        run = runs.get(variant)
        if run is None:
            raise Missing(f"no {variant} here")
        if run.void:
            raise Missing(f"{variant}: {run.void}")
        found = run.values.get(key, math.nan)
        if not math.isfinite(found):
            raise Missing(f"{variant} has no {key}: too short a run")
        return found

    return Value((name,), value)


def over(top: str, bottom: str) -> Value:
    """The ratio of two figures of the same round."""
    above, below = take(top), take(bottom)

    def value(runs: Round) -> float:
        dividend, divisor = above(runs), below(runs)
        if divisor <= 0:
            raise Missing(f"{bottom} is {divisor:g}: too short a run")
        return dividend / divisor

    return Value((top, bottom), value)


def beyond(more: str, less: str) -> Value:
    """The difference of two figures of the same round."""
    minuend, subtrahend = take(more), take(less)
    return Value((more, less), lambda runs: minuend(runs) - subtrahend(runs))


def outcome_of(value: Value, rounds: Sequence[Round]) -> Outcome:
    """The figure in every round that has it, and the reasons of those that do not."""
    values, missing = [], []
    for runs in rounds:
        try:
            values.append(value(runs))
        except Missing as reason:
            missing.append(str(reason))
    return Outcome(spread_of(values) if values else None, tuple(dict.fromkeys(missing)))


def spread_of(values: Sequence[float]) -> Spread:
    """Median and extremes of at least one value."""
    return Spread(median(values), min(values), max(values), len(values))


def highest(rounds: Sequence[Round], name: str) -> float:
    """The largest that was measured under this name, 0 where nothing was."""
    spread = outcome_of(take(name), rounds).spread
    return 0.0 if spread is None else spread.highest


def names_of(rounds: Sequence[Round]) -> list[tuple[str, str]]:
    """Every `(variant, value)` that any round has, in the order in which they were measured."""
    return list(dict.fromkeys(_names(rounds)))


def rotated(variants: Sequence[str], turn: int) -> list[str]:
    """The order of a round: each begins with another variant, so that no drift favours one of them."""
    start = turn % len(variants) if variants else 0
    return [*variants[start:], *variants[:start]]


def _names(rounds: Sequence[Round]) -> Iterator[tuple[str, str]]:
    for runs in rounds:
        for variant, run in runs.items():
            for key in run.values:
                yield variant, key
