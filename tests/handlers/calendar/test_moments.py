"""When reminders, starts and ends are told, by itself (contract sections 9 and 14)."""

from dataclasses import replace
from typing import Any

import pytest

from broker.ids import parse_time
from handlers.calendar.calendar_event import CalendarEvent, Status
from handlers.calendar.calendars import Calendar
from handlers.calendar.moments import MINUTE_MS, due_moments, moments_after, next_moment_ms, reminders_of

START = 100_000_000_000
CALENDAR = Calendar("cal_a", "n", "UTC", 0, 0)


def event(reminders: tuple[int, ...] | None = None, watched_ms: int = 0) -> CalendarEvent:
    return CalendarEvent("evt_a", "cal_a", "t", START, START + 1_000, 0, 0, reminders=reminders, watched_ms=watched_ms)


@pytest.mark.parametrize(
    ("own", "defaults", "resolved"),
    [
        (None, None, (10,)),
        (None, (), ()),
        (None, (5, 60), (5, 60)),
        ((), (5,), ()),
        ((1,), (), (1,)),
    ],
)
def test_null_inherits_and_an_empty_list_ends_the_search(own: Any, defaults: Any, resolved: Any) -> None:
    calendar = replace(CALENDAR, default_reminders=defaults)
    assert reminders_of(event(own), calendar) == resolved


def test_everything_comes_in_its_order() -> None:
    found = moments_after(event((10, 1440)), CALENDAR, 0)
    assert [(each.what, each.minutes) for each in found] == [
        *(("reminder", 1440), ("reminder", 10), ("started", 0), ("ended", 0))
    ]


@pytest.mark.parametrize("status", [Status.TENTATIVE, Status.CANCELLED, Status.HOLD])
def test_what_is_not_confirmed_is_told_nothing_of(status: Status) -> None:
    assert moments_after(replace(event(), status=status), CALENDAR, 0) == []


def test_what_was_past_when_it_was_set_is_dropped() -> None:
    watched = START - 5 * MINUTE_MS
    assert due_moments(event((10,), watched), CALENDAR, START - 1) == []
    assert next_moment_ms(event((10,), watched), CALENDAR, watched) == START


def test_a_reminder_that_comes_after_the_start_is_none() -> None:
    found = due_moments(event((10,)), CALENDAR, START)
    assert [each.what for each in found] == ["started"]
    assert [each.what for each in due_moments(event((10,)), CALENDAR, START - 1)] == ["reminder"]


def test_new_defaults_bring_back_nothing_that_was_past() -> None:
    changed = replace(CALENDAR, default_reminders=(60, 5), defaults_ms=START - 30 * MINUTE_MS)
    assert [each.minutes for each in moments_after(event(), changed, 0)] == [5, 0, 0]
    # What the event has of its own is no matter of the calendar.
    assert [each.minutes for each in moments_after(event((60,)), changed, 0)] == [60, 0, 0]


def test_a_day_is_twenty_four_hours_also_when_clocks_change() -> None:
    start = parse_time("2026-03-29T10:00:00+02:00")
    day = replace(event((1440,)), start_ms=start, end_ms=start + 1)
    assert next_moment_ms(day, CALENDAR, 0) == parse_time("2026-03-28T09:00:00+01:00")


def test_two_in_one_second_and_an_event_of_one_second() -> None:
    due = due_moments(event((), START - 1), CALENDAR, START + 2_000)
    assert [each.what for each in due] == ["started", "ended"]
    assert next_moment_ms(event(), CALENDAR, START + 1_000) is None


def test_nothing_is_told_again_when_a_clock_steps_back() -> None:
    assert due_moments(event((10,), START), CALENDAR, START - 1) == []
