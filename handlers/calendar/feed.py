"""A calendar as an iCalendar file (RFC 5545, contract section 11.1). Pure: the same events give the same bytes.

Times are written in UTC: an event is two instants, and UTC alone names each of them once, also in the hour that a zone
has twice; so no VTIMEZONE is needed. All-day events are the dates that they touch in the calendar's zone. Holds are
left out, also when they ended as such; what was cancelled is there as CANCELLED, so that programs take it away.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar

from broker.channels import DAY_MS
from handlers.calendar.calendar_event import CalendarEvent, Status
from handlers.calendar.calendars import Calendar
from handlers.calendar.moments import reminders_of
from handlers.calendar.texts import plain

LAST_MS = 253_402_300_799_000 - 3 * DAY_MS
"""Later than this nothing is written: no zone and no rounding takes it beyond the year 9999."""

_EPOCH = datetime.fromtimestamp(0, UTC)


class _Text(icalendar.vText):
    """A text as RFC 5545, 3.3.11 has it: the library writes a backslash before an N as the end of a line."""

    def to_ical(self) -> bytes:
        escaped = self.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
        return escaped.encode()


def in_feed(event: CalendarEvent) -> bool:
    """Whether an event is in the feed: no hold, and nothing that was never more than one."""
    was_hold_only = event.hold_end in ("expired", "bumped", "released") and event.status is Status.CANCELLED
    return event.status is not Status.HOLD and not was_hold_only


def build_feed(calendar: Calendar, events: Iterable[CalendarEvent]) -> bytes:
    """The file, in the order of the events."""
    made = icalendar.Calendar()
    made.add("prodid", "-//Tidemark//Calendars//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", _Text(plain(calendar.name)))
    made.add("x-wr-timezone", calendar.timezone)
    for event in filter(in_feed, events):
        made.add_component(_entry(calendar, event))
    body: bytes = made.to_ical()
    return body


def instant_of(at_ms: int) -> datetime:
    """The second of a Unix time in ms, rounded down."""
    return _EPOCH + timedelta(seconds=min(at_ms, LAST_MS) // 1000)


def dates_of(event: CalendarEvent, zone: ZoneInfo) -> tuple[date, date]:
    """The first date that an event touches in a zone, and the one after its last."""
    first = instant_of(event.start_ms).astimezone(zone).date()
    last = instant_of(event.end_ms - 1).astimezone(zone).date()
    return first, max(first, last) + timedelta(days=1)


def _entry(calendar: Calendar, event: CalendarEvent) -> icalendar.Event:
    made = icalendar.Event()
    made.add("uid", f"{event.id}@tidemark")
    # Not the time of the reading: the same events give the same bytes, so an ETag holds.
    made.add("dtstamp", instant_of(event.updated_ms))
    made.add("created", instant_of(event.created_ms))
    made.add("last-modified", instant_of(event.updated_ms))
    made.add("sequence", event.version - 1)
    made.add("summary", _Text(plain(event.title)))
    if event.description is not None:
        made.add("description", _Text(plain(event.description)))
    made.add("status", event.status.value.upper())
    if event.is_transparent:
        made.add("transp", "TRANSPARENT")
    if event.all_day:
        first, after = dates_of(event, ZoneInfo(calendar.timezone))
        made.add("dtstart", first)
        made.add("dtend", after)
    else:
        start = instant_of(event.start_ms)
        made.add("dtstart", start)
        # Rounded up: an event of less than a second still has an end after its start.
        made.add("dtend", max(instant_of(event.end_ms + 999), start + timedelta(seconds=1)))
    if event.status is Status.CONFIRMED:
        for minutes in reminders_of(event, calendar):
            made.add_component(_alarm(event, minutes))
    return made


def _alarm(event: CalendarEvent, minutes: int) -> icalendar.Alarm:
    made = icalendar.Alarm()
    made.add("action", "DISPLAY")
    made.add("description", _Text(plain(event.title)))
    # By hand: the library would write a day for 1440 minutes, and a day is 23 hours where the clock changes.
    made["trigger"] = icalendar.vText(f"-PT{minutes}M")
    return made
