"""Rates that a caller may not exceed: so many a second on average, and a burst (reliability.md F). Pure.

The limit is GCRA: it keeps one number for each caller, has no windows whose edges can be gamed, and knows exactly how
long a refused caller has to wait. The state is in the engine, so that all processes count together.
"""

import math
from dataclasses import dataclass

MAX_RETRY_AFTER_S = 3_600


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` on average, and `burst` at once; both above 0."""

    per_s: float
    burst: int

    @property
    def interval_us(self) -> int:
        """The microseconds between two at this rate, at least 1."""
        return max(1, round(1_000_000 / self.per_s))

    @property
    def tolerance_us(self) -> int:
        """How far a burst may run ahead of the rate."""
        return self.interval_us * self.burst


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates in force; None where there is no limit. Events count for publishes, one by one also in a batch."""

    requests_per_address: Rate | None = None
    requests_per_key: Rate | None = None
    events_per_token: Rate | None = None
    events_per_channel: Rate | None = None


def parse_rate(per_s: float, burst: int) -> Rate | None:
    """A rate of the configuration, where 0 a second means no limit."""
    return Rate(per_s, burst) if per_s else None


def retry_after_s(wait_us: int) -> int:
    """The whole seconds for a Retry-After header: never too early, never more than an hour."""
    return min(MAX_RETRY_AFTER_S, math.ceil(wait_us / 1_000_000))
