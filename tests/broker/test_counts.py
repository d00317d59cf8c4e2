"""Counting in ints: histograms, and what the hub counts of its feed."""

from hypothesis import given
from hypothesis import strategies as st

from broker.counts import SECONDS, SIZES, Histogram, HubCounts

TIMES = st.floats(min_value=0, max_value=100)


@given(st.lists(TIMES | st.sampled_from(SECONDS), max_size=50))
def test_each_observation_is_counted_once_under_the_first_bound_that_is_not_below_it(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    bounds = [*SECONDS, float("inf")]
    upto = [sum(value <= bound for value in values) for bound in bounds]
    assert [sum(histogram.counts[: i + 1]) for i in range(len(bounds))] == upto
    assert histogram.total == sum(values)


def test_bounds_rise() -> None:
    assert list(SECONDS) == sorted(set(SECONDS))
    assert list(SIZES) == sorted(set(SIZES))


def test_the_lag_of_the_feed_is_by_the_clock_of_the_engine() -> None:
    counts = HubCounts(clock_ahead_s=5.0)
    counts.hear(event_ms=1_004_900, now_s=1_000.0)
    assert counts.heard == 1
    assert 0.0999 < counts.lag.total < 0.1001


def test_an_id_that_runs_ahead_of_the_clock_has_no_lag() -> None:
    counts = HubCounts()
    counts.hear(event_ms=2_000_000, now_s=1_000.0)
    assert counts.lag.total == 0
