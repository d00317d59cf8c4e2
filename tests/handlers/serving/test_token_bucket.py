"""A rate with a burst."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.serving.token_bucket import TokenBucket


def test_a_burst_passes_and_one_more_does_not() -> None:
    bucket = TokenBucket(1, 3, now_s=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]


def test_it_refills_at_its_rate_and_never_above_its_burst() -> None:
    bucket = TokenBucket(2, 2, now_s=0)
    assert [bucket.take(0) for _ in range(2)] == [True, True]
    assert [bucket.take(0.49), bucket.take(0.5), bucket.take(0.5)] == [False, True, False]
    assert [bucket.take(100) for _ in range(3)] == [True, True, False]


def test_a_clock_that_goes_back_refills_nothing() -> None:
    bucket = TokenBucket(1, 1, now_s=10)
    assert [bucket.take(10), bucket.take(5), bucket.take(5.5)] == [True, False, False]


@given(st.lists(st.floats(0, 1), max_size=100), st.floats(0.1, 50), st.integers(1, 20))
def test_no_more_than_burst_and_rate_pass_in_any_time(pauses: list[float], per_s: float, burst: int) -> None:
    bucket, now_s, passed = TokenBucket(per_s, burst, now_s=0), 0.0, 0
    for pause in pauses:
        now_s += pause
        passed += bucket.take(now_s)
        assert passed <= burst + per_s * now_s + 1e-6
