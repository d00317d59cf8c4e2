"""Pauses between attempts, and what a receiver may ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.retry import JITTER, MAX_RETRY_AFTER_S, SCHEDULE_S, parse_retry_after, pause_ms

NOW_MS = 1_800_000_000_000


def test_eight_attempts_span_about_28_hours() -> None:
    pauses = [pause_ms(attempts, 0.5) for attempts in range(1, 9)]
    assert pauses == [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000, None]
    assert 27 < sum(each for each in pauses if each) / 3_600_000 < 29


@given(st.integers(1, len(SCHEDULE_S)), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_its_share(attempts: int, chance: float) -> None:
    pause, exact = pause_ms(attempts, chance), SCHEDULE_S[attempts - 1] * 1000
    assert pause is not None
    assert exact * (1 - JITTER) <= pause <= exact * (1 + JITTER)


def test_retry_after_is_seconds_or_a_date_and_bounded() -> None:
    assert parse_retry_after("120", NOW_MS) == 120_000
    assert parse_retry_after("Fri, 15 Jan 2027 08:01:00 GMT", NOW_MS) == 60_000
    assert parse_retry_after("Fri, 15 Jan 2027 08:01:00 -0000", NOW_MS) == 60_000
    assert parse_retry_after("9" * 400, NOW_MS) == MAX_RETRY_AFTER_S * 1000
    assert parse_retry_after("Fri, 15 Jan 2038 08:01:00 GMT", NOW_MS) == MAX_RETRY_AFTER_S * 1000


def test_what_is_no_retry_after_asks_for_nothing() -> None:
    for text in (None, "", "soon", "-5", "1.5", "²", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 99 Foo 2027 08:01:00 GMT"):
        assert parse_retry_after(text, NOW_MS) == 0


@pytest.mark.parametrize("text", [f"Mon, 01 Jan {'9' * 11} 00:00:00 GMT", f"Mon, 01 Jan 2027 00:00:00 +{'9' * 14}"])
def test_a_date_beyond_all_numbers_asks_for_nothing(text: str) -> None:
    assert parse_retry_after(text, NOW_MS) == 0


@given(st.text(max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    assert 0 <= parse_retry_after(text, NOW_MS) <= MAX_RETRY_AFTER_S * 1000
