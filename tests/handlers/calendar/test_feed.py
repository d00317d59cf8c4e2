"""Feeds as programs read them: checked with vobject and dateutil, which share no code with what writes them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import vobject  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.calendar.calendar_event import CalendarEvent, Status
from handlers.calendar.calendars import Calendar
from handlers.calendar.feed import build_feed, dates_of, in_feed, instant_of
from handlers.calendar.texts import plain

CALENDAR = Calendar("cal_00000000000000", "Work", "Europe/Berlin", 1, 2)
EVENT = CalendarEvent("evt_1", CALENDAR.id, "Sync", 1_900_000_000_000, 1_900_003_600_000, 1_000, 2_000)
TEXT = st.text(st.characters(codec="utf-8"), max_size=120)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def entries(body: bytes) -> list[vobject.base.Component]:
    """The VEVENTs, by an independent reader."""
    return list(getattr(vobject.readOne(body.decode()), "vevent_list", []))


def entry(event: CalendarEvent, calendar: Calendar = CALENDAR) -> vobject.base.Component:
    [found] = entries(build_feed(calendar, [event]))
    return found


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            TEXT, st.none() | TEXT, st.integers(0, 4_000_000_000_000), st.integers(1, 10**9), st.sampled_from(Status)
        ),
        max_size=4,
    )
)
def test_an_independent_reader_gets_our_events_back(
    given: list[tuple[str, str | None, int, int, Status]],
) -> None:
    events = [
        replace(EVENT, id=f"evt_{n}", title=title, description=text, start_ms=at, end_ms=at + length, status=status)
        for n, (title, text, at, length, status) in enumerate(given)
    ]
    body = build_feed(CALENDAR, events)
    shown = [each for each in events if each.status is not Status.HOLD]
    assert [each.uid.value for each in entries(body)] == [f"{each.id}@tidemark" for each in shown]
    for found, event in zip(entries(body), shown, strict=True):
        assert found.summary.value == plain(event.title)
        assert event.description is None or found.description.value == plain(event.description)
        assert found.dtstart.value == instant_of(event.start_ms)
        assert found.dtend.value == instant_of(max(event.end_ms + 999, event.start_ms // 1000 * 1000 + 1000))
        assert found.status.value == event.status.value.upper()
    assert all(len(line) <= 75 and line.decode() is not None for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"") and b"\r" not in body.replace(b"\r\n", b"")


def test_a_backslash_before_an_n_is_no_end_of_a_line() -> None:
    calendar, title = replace(CALENDAR, name=r"C:\New"), r"C:\New\notes"
    body = build_feed(calendar, [replace(EVENT, title=title, description=title)])
    assert [(each.summary.value, each.description.value) for each in entries(body)] == [(title, title)]
    assert rb"X-WR-CALNAME:C:\\New" in body


def test_a_long_line_is_folded_between_characters_and_special_ones_are_escaped() -> None:
    title = "Ü\U0001f600" * 60 + '; a, b \\ "c"\nBEGIN:VEVENT'
    body = build_feed(CALENDAR, [replace(EVENT, title=title)])
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 75 and all(each.decode() for each in lines[:-1])
    assert b'\\; a\\, b \\\\ "c"\\nBEGIN:VEVENT' in body.replace(b"\r\n ", b"") and body.count(b"\r\nBEGIN:VEVENT") == 1
    assert entry(replace(EVENT, title=title)).summary.value == title


def test_an_all_day_event_is_the_dates_it_touches_in_the_zone_of_its_calendar_with_an_exclusive_end() -> None:
    whole = replace(EVENT, all_day=True, start_ms=ms("2030-03-30T23:00:00Z"), end_ms=ms("2030-03-31T22:00:00Z"))
    found = entry(whole)
    assert (found.dtstart.value, found.dtend.value) == (date(2030, 3, 31), date(2030, 4, 1))  # a day of 23 hours
    tokyo = entry(whole, replace(CALENDAR, timezone="Asia/Tokyo"))
    assert (tokyo.dtstart.value, tokyo.dtend.value) == (date(2030, 3, 31), date(2030, 4, 2))
    last = replace(whole, start_ms=253_402_300_799_998, end_ms=253_402_300_799_999)
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        assert dates_of(last, ZoneInfo(zone))[0] < dates_of(last, ZoneInfo(zone))[1]


def test_both_halves_of_the_hour_that_a_zone_has_twice_stay_apart() -> None:
    first = replace(EVENT, start_ms=ms("2030-10-27T00:30:00Z"), end_ms=ms("2030-10-27T01:30:00Z"))
    found = entry(first)
    assert found.dtstart.value == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)
    assert found.dtend.value == datetime(2030, 10, 27, 1, 30, tzinfo=UTC)


def test_alarms_are_the_resolved_reminders_of_confirmed_events_in_minutes() -> None:
    def triggers(event: CalendarEvent, calendar: Calendar = CALENDAR) -> list[bytes]:
        lines = build_feed(calendar, [event]).split(b"\r\n")
        return [each for each in lines if each.startswith(b"TRIGGER")]

    assert triggers(EVENT) == [b"TRIGGER:-PT10M"]
    assert triggers(EVENT, replace(CALENDAR, default_reminders=())) == []
    assert triggers(EVENT, replace(CALENDAR, default_reminders=(5,))) == [b"TRIGGER:-PT5M"]
    assert triggers(replace(EVENT, reminders=())) == []
    assert triggers(replace(EVENT, reminders=(15, 1440))) == [b"TRIGGER:-PT15M", b"TRIGGER:-PT1440M"]
    assert triggers(replace(EVENT, status=Status.TENTATIVE, reminders=(15,))) == []
    [alarm] = entry(EVENT).valarm_list
    assert (alarm.action.value, alarm.description.value) == ("DISPLAY", "Sync")


def test_holds_are_left_out_also_when_they_ended_as_such() -> None:
    held = replace(EVENT, status=Status.HOLD, hold_expires_ms=5)
    expired = replace(held, status=Status.CANCELLED, hold_end="expired")
    confirmed = replace(held, status=Status.CONFIRMED, hold_end="confirmed")
    cancelled = replace(EVENT, status=Status.CANCELLED)
    assert [in_feed(each) for each in (held, expired, confirmed, cancelled)] == [False, False, True, True]


def test_the_same_events_give_the_same_bytes_and_a_change_gives_others() -> None:
    body = build_feed(CALENDAR, [EVENT])
    assert body == build_feed(CALENDAR, [EVENT]) != build_feed(CALENDAR, [replace(EVENT, updated_ms=9_000)])
