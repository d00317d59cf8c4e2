"""What a timer of an event leads to, by itself (contract section 9)."""

from broker.change import NOTHING, Document
from broker.storage.state import Loaded
from broker.timers import Timer, TimerName
from handlers.calendar.alarms import telling
from handlers.calendar.calendar_event import CalendarEvent, render_kept
from handlers.calendar.calendars import Calendar
from handlers.calendar.calendars import render_kept as render_calendar
from handlers.calendar.documents import MOMENT_TIMER, calendar_key, event_key
from handlers.calendar.making import purging, rearming

EVENT, CALENDAR = event_key("acme", "evt_a"), calendar_key("acme", "cal_a")
START = 10_000_000
OF_EVENT = Document(3, render_kept(CalendarEvent("evt_a", "cal_a", "t", START, START + 1, 0, 0)))
OF_CALENDAR = Document(1, render_calendar(Calendar("cal_a", "n", "UTC", 0, 0)))
NAME = TimerName(MOMENT_TIMER, "acme", "evt_a")


def loaded(now_ms: int, event: Document | None = OF_EVENT, calendar: Document | None = OF_CALENDAR) -> Loaded:
    return Loaded(now_ms * 1000, {EVENT: event, CALENDAR: calendar}, None, {})


def test_what_is_due_is_told_on_both_channels_and_the_next_is_armed() -> None:
    change = telling("acme", "evt_a", loaded(START - 600_000))
    assert [each.channel_id for each in change.events] == ["calendar-a-acme", "calendar-org-acme"]
    assert change.timers == (Timer(NAME, START),)


def test_nothing_is_told_of_what_is_gone() -> None:
    assert telling("acme", "evt_a", loaded(START, event=None)) == NOTHING
    assert telling("acme", "evt_a", loaded(START, calendar=None)) == NOTHING


def test_arming_anew_arms_what_is_still_to_come_and_purging_disarms() -> None:
    assert rearming("acme", "cal_a", ["evt_a"], loaded(0)).timers == (Timer(NAME, START - 600_000),)
    gone = purging("acme", ["evt_a"], loaded(0))
    assert [each.key for each in gone.documents] == [EVENT] and gone.timers == (NAME,)
