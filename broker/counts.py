"""What the parts of a process count, in plain ints, so that counting costs an addition where things happen.

Each part counts for itself and never resets; `handlers.metrics` reads the counts once a second. Nothing is counted
once for each delivery: a reader's step counts all of its events together. Pure: the clock is an argument.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of a histogram of times."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Upper bounds of a histogram of numbers of things."""


class Histogram:
    """How many observations lie at or below each bound and above the one before it; the last count is of the rest."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """One more observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class HubCounts:
    """What readers were given, how their subscriptions ended, and what the live feed was good for.

    `ends` is by close code. `catch_ups` are pages of the log that single readers asked for, `mends` reads of what the
    feed did not bring, `losses` position checks that found a log ahead of a feed that had been quiet.
    `clock_ahead_s` is how far the engine's clock is ahead of this machine's, for whoever knows: `lag` is how long after
    its id was given out an event arrived here, by the engine's clock.
    """

    delivered: int = 0
    catch_ups: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    heard: int = 0
    connects: int = 0
    mends: int = 0
    checks: int = 0
    losses: int = 0
    lag: Histogram = field(default_factory=Histogram)
    clock_ahead_s: float = 0.0

    def hear(self, event_ms: int, now_s: float) -> None:
        """The feed brought an event whose id is of `event_ms`; an id that runs ahead of the clock has no lag."""
        self.heard += 1
        self.lag.observe(max(0.0, now_s + self.clock_ahead_s - event_ms / 1000))


@dataclass(slots=True)
class TimerCounts:
    """What became of the timers claimed here. `late` is how long after it was due one was claimed for the first time.

    `fenced` are those that turned out to be somebody else's by then, `failed` those that are tried again.
    """

    fired: int = 0
    fenced: int = 0
    failed: int = 0
    late: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class AppendCounts:
    """What was stored: publishes and their events, answers that were given again, and how many publishes a call had."""

    publishes: int = 0
    events: int = 0
    replays: int = 0
    calls: Histogram = field(default_factory=lambda: Histogram(SIZES))
