"""Percentiles of the histograms that the load client writes. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values fell into each bucket: `(largest value of the bucket, count)`, in rising order."""

    buckets: tuple[tuple[int, int], ...] = ()

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(count for _, count in self.buckets)

    def percentile(self, percent: float) -> float:
        """The smallest value that at least `percent` of all values do not exceed; NaN of nothing.

        It is off by at most the width of a bucket, upwards: 1/64 of the value.
        """
        wanted = max(1, math.ceil(self.count * percent / 100))
        seen = 0
        for value, count in self.buckets:
            seen += count
            if seen >= wanted:
                return float(value)
        return math.nan


def parse_histogram(pairs: Iterable[Iterable[int]]) -> Histogram:
    """A histogram of the pairs as they stand in a report."""
    return Histogram(tuple((value, count) for value, count in pairs))
