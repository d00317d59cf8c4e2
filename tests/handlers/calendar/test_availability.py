"""Free slots, by themselves (contract section 12)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from handlers.calendar.availability import (
    AskedTime,
    blocks,
    busy_of,
    parse_availability,
    render_availability,
    slots_of,
)
from handlers.calendar.calendar_event import CalendarEvent, Status
from handlers.calendar.imports.health import Health

RANGE = [("start", "2030-01-01T09:00:00Z"), ("end", "2030-01-01T17:00:00Z")]


def event(start: int, end: int, status: Status = Status.CONFIRMED) -> CalendarEvent:
    return CalendarEvent("e", "c", "t", start, end, 0, 0, status=status, hold_expires_ms=50)


@pytest.mark.parametrize(
    ("status", "now_ms", "does"),
    [
        (Status.CONFIRMED, 0, True),
        (Status.TENTATIVE, 0, True),
        (Status.CANCELLED, 0, False),
        (Status.HOLD, 49, True),
        (Status.HOLD, 50, False),
    ],
)
def test_what_blocks(status: Status, now_ms: int, does: bool) -> None:
    assert blocks(event(0, 9, status), now_ms) is does


def test_what_is_transparent_blocks_nobody() -> None:
    assert not blocks(replace(event(0, 9), is_transparent=True), 0)


def test_each_free_stretch_is_cut_from_where_it_begins() -> None:
    asked = AskedTime(0, 100, 30, include_busy=False)
    busy = busy_of([event(-5, 5), event(40, 45), event(44, 50)], asked, 0)
    assert busy == [(0, 5), (40, 50)]
    assert slots_of(busy, asked) == [(5, 35), (50, 80)]
    assert render_availability([], Health("stale", 0, ["late"]))["availability_state"] == "stale"


@given(st.lists(st.tuples(st.integers(-20, 120), st.integers(1, 60)), max_size=8))
def test_slots_are_free_and_no_other_fits(taken: list[tuple[int, int]]) -> None:
    asked = AskedTime(0, 100, 10, include_busy=True)
    busy = busy_of([event(start, start + length) for start, length in taken], asked, 0)
    slots = slots_of(busy, asked)
    for start, end in slots:
        assert start >= 0 and end <= 100 and end - start == 10
        assert not [each for each in busy if each[0] < end and start < each[1]]
    free = [at for at in range(100) if not any(start <= at < end for start, end in (*busy, *slots))]
    assert not [at for at in free if all(at + step in free for step in range(10))]


def test_a_good_query() -> None:
    asked = parse_availability([*RANGE, ("slot_duration", "1h"), ("include_busy", "true")])
    assert (asked.duration_ms, asked.include_busy, asked.end_ms - asked.start_ms) == (3_600_000, True, 28_800_000)


@pytest.mark.parametrize(
    "query",
    [
        *([], RANGE[:1], RANGE[1:], [("start", RANGE[1][1]), ("end", RANGE[0][1])]),
        [*RANGE, ("duration", "10m")],
        [*RANGE, ("duration", "1h"), ("slot_duration", "2h")],
        [*RANGE, ("include_busy", "1")],
        [RANGE[0], ("end", "2032-01-01T00:00:00Z")],
    ],
)
def test_a_bad_query_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid):
        parse_availability(query)
