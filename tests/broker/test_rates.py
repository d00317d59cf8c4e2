"""Rates: what the engine is given, and what a refused caller is told."""

import pytest

from broker.rates import MAX_RETRY_AFTER_S, Rate, parse_rate, retry_after_s


def test_no_rate_is_no_limit() -> None:
    assert parse_rate(0, 100) is None


@pytest.mark.parametrize(
    ("per_s", "burst", "interval_us", "tolerance_us"),
    [(100.0, 50, 10_000, 500_000), (0.5, 1, 2_000_000, 2_000_000), (3_000_000.0, 1, 1, 1)],
)
def test_a_rate_is_an_interval_and_a_burst_runs_ahead_of_it(
    per_s: float, burst: int, interval_us: int, tolerance_us: int
) -> None:
    rate = Rate(per_s, burst)
    assert (rate.interval_us, rate.tolerance_us) == (interval_us, tolerance_us)


@pytest.mark.parametrize(("wait_us", "wait_s"), [(1, 1), (1_000_000, 1), (1_000_001, 2), (10**12, MAX_RETRY_AFTER_S)])
def test_retry_after_is_never_too_early(wait_us: int, wait_s: int) -> None:
    assert retry_after_s(wait_us) == wait_s
