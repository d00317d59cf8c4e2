"""Crons: what is one, when it comes to pass, in its zone and around changes of the clock (contract section 6)."""

from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.ids import parse_time, render_time
from handlers.cuey.crons import (
    HORIZON_MS,
    MOST_AHEAD,
    Cron,
    check_expression,
    check_timezone,
    due_times,
    made_by,
    times_after,
    topped_up,
    without,
)
from handlers.cuey.machine import Target

NOW_MS = parse_time("2026-03-01T00:00:00Z")


def cron(expression: str = "0 * * * *", timezone: str | None = None, *, is_active: bool = True) -> Cron:
    return Cron("c", expression, timezone, Target("https://a.example"), is_active, 0, 0)


def first(cron: Cron, after: str, count: int) -> list[str]:
    return [render_time(at)[:16] for at in islice(times_after(cron, parse_time(after)), count)]


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/5 * * * *",
        "0 9 * * 1-5",
        "0,30 8-18/2 1,15 */3 0",
        "59 23 31 12 6",
        "0 0 29 2 *",
        "5/15 * * * *",
    ],
)
def test_these_are_crons(expression: str) -> None:
    assert check_expression(expression) == expression


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * 1-7",
        "@daily",
        "0 9 * * MON",
        "0 0 L * *",
        "0 0 * * 1#2",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 0 30 2 *",
        "a * * * *",
        "* * * * *;",
        "\u0660 * * * *",
        "0 " * 300,
    ],
)
def test_these_are_none(expression: str) -> None:
    with pytest.raises(ValueError, match=r"must|may|is no|never"):
        check_expression(expression)


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Asia/Kathmandu"])
def test_these_are_time_zones(name: str) -> None:
    assert check_timezone(name) == name


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 300])
def test_these_are_no_time_zones(name: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        check_timezone(name)


def test_times_are_of_the_zone() -> None:
    assert first(cron("0 9 * * *", "Asia/Kathmandu"), "2026-01-01T00:00:00Z", 2) == [
        "2026-01-01T03:15",
        "2026-01-02T03:15",
    ]
    assert first(cron("0 9 * * *"), "2026-01-01T09:00:00Z", 1) == ["2026-01-02T09:00"]


def test_a_time_in_the_gap_when_clocks_go_forward_comes_right_after_it() -> None:
    # Berlin skips 02:00 to 03:00 on 2026-03-29.
    assert first(cron("30 2 * * *", "Europe/Berlin"), "2026-03-28T12:00:00Z", 2) == [
        "2026-03-29T01:00",
        "2026-03-30T00:30",
    ]


def test_a_time_that_comes_twice_when_clocks_go_back_counts_once() -> None:
    # Berlin has 02:00 to 03:00 twice on 2026-10-25.
    assert first(cron("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00Z", 2) == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]


def test_an_hourly_cron_goes_by_real_time_through_both_changes() -> None:
    for day in ("2026-03-28T22:00:00Z", "2026-10-24T22:00:00Z"):
        times = list(islice(times_after(cron("0 * * * *", "Europe/Berlin"), parse_time(day)), 8))
        assert {b - a for a, b in pairwise(times)} == {3_600_000}


@given(
    st.sampled_from(["* * * * *", "*/7 * * * *", "30 2 * * *", "15 1,2,3 * * *", "0 0 * * 0", "0 3 29 3 *"]),
    st.sampled_from([None, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.integers(parse_time("2026-01-01"), parse_time("2027-12-31")),
)
def test_times_rise_and_lie_after_where_one_starts(expression: str, timezone: str | None, after_ms: int) -> None:
    times = list(islice(times_after(cron(expression, timezone), after_ms), 6))
    assert [after_ms, *times] == sorted({after_ms, *times})


def test_there_are_at_most_twenty_ahead_within_a_day_and_always_one() -> None:
    assert len(due_times(cron("* * * * *"), NOW_MS)) == MOST_AHEAD
    within_a_day = due_times(cron("0 */6 * * *"), NOW_MS)
    assert len(within_a_day) == 4 and within_a_day[-1] <= NOW_MS + HORIZON_MS
    assert [render_time(at)[:10] for at in due_times(cron("0 0 1 1 *"), NOW_MS)] == ["2027-01-01"]
    assert due_times(cron("0 0 1 1 *", is_active=False), NOW_MS) == []


def test_what_was_missed_is_not_made_up_for() -> None:
    behind = replace(cron("* * * * *"), last_ms=NOW_MS - 86_400_000)
    assert due_times(behind, NOW_MS)[0] == NOW_MS + 60_000


def test_each_that_begins_is_followed_by_one() -> None:
    ahead = cron("* * * * *")
    made = [made_by(ahead, f"e{n}", at, NOW_MS) for n, at in enumerate(due_times(ahead, NOW_MS))]
    full = topped_up(ahead, made)
    assert due_times(full, NOW_MS) == []
    after = without(full, "e0")
    [following] = due_times(after, NOW_MS + 60_000)
    assert following == made[-1].scheduled_at_ms + 60_000
    assert (made[0].cron_id, made[0].target) == ("c", ahead.target)
