"""What is to be told of a CalendarEvent and when: reminders, start, end (contract section 9). Pure.

Nothing notes what was told. An event has a moment up to which all was seen to; what lies after it is still to come, and
who sees to something moves it. So a new start has all its reminders again, and what was past when it was set has none.
"""

from typing import Literal, NamedTuple

from handlers.calendar.calendar_event import CalendarEvent, Status
from handlers.calendar.calendars import SYSTEM_REMINDERS, Calendar

MINUTE_MS = 60_000
_RANK = {"reminder": 0, "started": 1, "ended": 2}


class Moment(NamedTuple):
    """Something to tell at a time; `minutes` before the start for a reminder."""

    at_ms: int
    what: Literal["reminder", "started", "ended"]
    minutes: int = 0


def reminders_of(event: CalendarEvent, calendar: Calendar) -> tuple[int, ...]:
    """The event's own, else the calendar's, else the system's; an empty list ends the search."""
    if event.reminders is not None:
        return event.reminders
    return SYSTEM_REMINDERS if calendar.default_reminders is None else calendar.default_reminders


def moments_after(event: CalendarEvent, calendar: Calendar, after_ms: int) -> list[Moment]:
    """What is to be told after a moment, in order; nothing of an event that is not confirmed."""
    if event.status is not Status.CONFIRMED:
        return []
    inherits_from_ms = calendar.defaults_ms if event.reminders is None else 0
    moments = [
        Moment(event.start_ms - minutes * MINUTE_MS, "reminder", minutes) for minutes in reminders_of(event, calendar)
    ]
    moments = [each for each in moments if each.at_ms > max(after_ms, inherits_from_ms)]
    moments += [
        each for each in (Moment(event.start_ms, "started"), Moment(event.end_ms, "ended")) if each.at_ms > after_ms
    ]
    return sorted(moments, key=lambda each: (each.at_ms, _RANK[each.what], -each.minutes))


def due_moments(event: CalendarEvent, calendar: Calendar, now_ms: int) -> list[Moment]:
    """What is due and not told yet. A reminder that comes when the event has begun is none any more."""
    due = [each for each in moments_after(event, calendar, event.watched_ms) if each.at_ms <= now_ms]
    return [each for each in due if each.what != "reminder" or event.start_ms > now_ms]


def next_moment_ms(event: CalendarEvent, calendar: Calendar, now_ms: int) -> int | None:
    """When there is something to tell next, None for never."""
    moments = moments_after(event, calendar, max(event.watched_ms, now_ms))
    return moments[0].at_ms if moments else None
