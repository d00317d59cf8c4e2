"""Percentiles are those of the sorted values, of which only the bucket is known."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bench.histogram import Histogram, parse_histogram


def histogram_of(values: list[int]) -> Histogram:
    return parse_histogram(sorted(Counter(values).items()))


@given(st.lists(st.integers(0, 1_000), min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], percent: float) -> None:
    found = histogram_of(values).percentile(percent)
    share = sum(value <= found for value in values) / len(values)
    share_below = sum(value < found for value in values) / len(values)
    assert found in values
    assert share >= percent / 100 > share_below


def test_the_percentiles_of_a_hundred_values_are_those_values() -> None:
    histogram = histogram_of(list(range(1, 101)))
    assert [histogram.percentile(percent) for percent in (1, 50, 99, 99.9, 100)] == [1, 50, 99, 100, 100]


def test_nothing_has_no_percentile() -> None:
    assert math.isnan(Histogram().percentile(50))
    assert Histogram().count == 0
