"""What a feed says happens: zones, rules and their exceptions, days, and what is left out."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.calendar.imports.expansion import UNTITLED, Unreadable, expand
from handlers.calendar.imports.occurrence import Occurrence, Span
from tests.handlers.calendar.imports.feeds import calendar, event

FROM = datetime(2026, 3, 1, tzinfo=UTC)
DAY_MS = 86_400_000
BERLIN = "DTSTART;TZID=Europe/Berlin:"
BERLIN_END = "DTEND;TZID=Europe/Berlin:"


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


SPAN = Span(ms(FROM), ms(FROM) + 366 * DAY_MS, "America/New_York", 2_000)


def read(*events: str, span: Span = SPAN) -> list[Occurrence]:
    found = expand(calendar(*events), span)
    assert found.left_out == 0
    return found.occurrences


def starts(found: list[Occurrence]) -> list[str]:
    return [datetime.fromtimestamp(each.start_ms / 1000, UTC).strftime("%m-%dT%H:%M") for each in found]


WEEKLY = event("w", f"{BERLIN}20260313T090000", f"{BERLIN_END}20260313T100000", "RRULE:FREQ=WEEKLY;COUNT=5")


def test_a_meeting_at_nine_stays_at_nine_when_the_clocks_change() -> None:
    assert starts(read(WEEKLY)) == ["03-13T08:00", "03-20T08:00", "03-27T08:00", "04-03T07:00", "04-10T07:00"]


def test_an_exdate_takes_one_occurrence_away() -> None:
    without = WEEKLY.replace("RRULE", "EXDATE;TZID=Europe/Berlin:20260403T090000\r\nRRULE")
    assert starts(read(without)) == ["03-13T08:00", "03-20T08:00", "03-27T08:00", "04-10T07:00"]


def test_a_moved_occurrence_keeps_its_name_and_the_others_theirs() -> None:
    moved = event(
        "w",
        f"{BERLIN}20260327T140000",
        f"{BERLIN_END}20260327T150000",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260327T090000",
    )
    before, after = read(WEEKLY), read(WEEKLY, moved)
    assert [each.recurrence for each in after] == [each.recurrence for each in before]
    assert starts(after)[2] == "03-27T13:00"
    assert [a for a, b in zip(after, before, strict=True) if a != b] == [after[2]]


def test_a_cancelled_occurrence_is_there_as_such() -> None:
    cancelled = event(
        "w", f"{BERLIN}20260327T090000", "RECURRENCE-ID;TZID=Europe/Berlin:20260327T090000", "STATUS:CANCELLED"
    )
    assert [each.status for each in read(WEEKLY, cancelled)].index("cancelled") == 2


def test_a_rule_that_was_moved_from_one_occurrence_on_has_a_name_for_each() -> None:
    later = event(
        "w",
        f"{BERLIN}20260327T140000",
        f"{BERLIN_END}20260327T150000",
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260327T090000",
    )
    found = read(WEEKLY, later)
    assert starts(found) == ["03-13T08:00", "03-20T08:00", "03-27T13:00", "04-03T12:00", "04-10T12:00"]
    assert len({each.recurrence for each in found}) == 5


def test_a_single_event_has_the_same_name_wherever_it_is_moved_to() -> None:
    names = {(each.uid, each.recurrence) for hour in (9, 14) for each in read(event("s", FROM.replace(hour=hour)))}
    assert names == {("s", "")}


def test_days_and_times_without_a_zone_are_those_of_the_calendar() -> None:
    day, local = read(event("d", "DTSTART;VALUE=DATE:20260401"), event("l", "DTSTART:20260401T100000", "DURATION:PT1H"))
    assert (day.all_day, day.end_ms - day.start_ms) == (True, DAY_MS)
    assert starts([day, local]) == ["04-01T04:00", "04-01T14:00"]


def test_a_zone_of_windows_is_known() -> None:
    assert starts(read(event("w", "DTSTART;TZID=W. Europe Standard Time:20260401T100000"))) == ["04-01T08:00"]


def test_what_takes_no_time_and_what_says_so_is_transparent() -> None:
    free, empty, busy = read(
        event("a", FROM, "TRANSP:TRANSPARENT"), event("b", FROM, length=timedelta(0)), event("c", FROM)
    )
    assert (free.is_transparent, empty.is_transparent, busy.is_transparent) == (True, True, False)
    assert empty.end_ms == empty.start_ms + 1


def test_texts_are_whole_cleaned_and_cut() -> None:
    [found] = read(
        event(
            "a", FROM, f"DESCRIPTION:{'d' * 9_000}", "LOCATION:Here\\, there", "STATUS:TENTATIVE", summary="x\x00" * 600
        )
    )
    assert (found.title, len(found.description or ""), found.location) == ("x" * 500, 8_192, "Here, there")
    assert found.status == "tentative"
    [untitled] = read(event("a", FROM, summary=" "))
    assert untitled.title == UNTITLED


def test_what_has_no_uid_is_known_by_what_it_says() -> None:
    bare = event("u", FROM).replace("UID:u\r\n", "")
    other = bare.replace("SUMMARY:u", "SUMMARY:v")
    assert read(bare) == read(bare) and len({each.uid for each in read(bare, other)}) == 2


def test_only_what_touches_the_span_is_told() -> None:
    at = [FROM - timedelta(hours=1), FROM - timedelta(minutes=30), FROM + timedelta(days=366)]
    assert [each.uid for each in read(*(event(str(number), each) for number, each in enumerate(at)))] == ["1"]


def test_more_occurrences_than_may_be_are_none() -> None:
    daily = event("d", FROM, "RRULE:FREQ=DAILY;COUNT=11")
    with pytest.raises(Unreadable, match="more than 10 occurrences"):
        expand(calendar(daily), SPAN._replace(most=10))


@pytest.mark.parametrize(
    "feed",
    [
        b"",
        b"\xff\x00",
        b"BEGIN:VCARD\r\nEND:VCARD\r\n",
        b"BEGIN:VCALENDAR\r\n",
        calendar(event("e", FROM, "X-A;VALUE=TEXT,DATE:1")),
        calendar("BEGIN:VEVENT\r\nTZID:Own\r\nEND:VTIMEZONE"),
    ],
)
def test_what_is_no_calendar_is_refused(feed: bytes) -> None:
    with pytest.raises(Unreadable, match="no iCalendar file"):
        expand(feed, SPAN)
