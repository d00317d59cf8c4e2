"""When a calendar or an agent is free (contract section 12). Pure.

What is confirmed or tentative blocks, and active holds do; of a feed's events, those that it does not mark as taking
nobody's time. Free stretches are cut into slots back to back from where each begins.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from broker.ids import render_time
from handlers.calendar.calendar_event import CalendarEvent, Status
from handlers.calendar.imports.health import Health, render_health
from handlers.calendar.wire import instant, one_of, wrong

DURATIONS_MIN = {"15m": 15, "30m": 30, "45m": 45, "1h": 60, "2h": 120}
DEFAULT = "30m"
MINUTE_MS = 60_000
MOST_RANGE_MS = 366 * 86_400_000

Stretch = tuple[int, int]


class AskedTime(NamedTuple):
    """What is asked: free slots of a duration within a range of time."""

    start_ms: int
    end_ms: int
    duration_ms: int
    include_busy: bool


def parse_availability(query: Sequence[tuple[str, str]]) -> AskedTime:
    """What is asked; raises `Invalid`."""
    start_ms, end_ms = instant(query, "start"), instant(query, "end")
    if start_ms is None:
        wrong("start", "is required")
    if end_ms is None:
        wrong("end", "is required")
    if not start_ms < end_ms <= start_ms + MOST_RANGE_MS:
        wrong("end", "must be after start, by 366 days at most")
    new, old = (one_of(query, name, tuple(DURATIONS_MIN)) for name in ("duration", "slot_duration"))
    if new is not None and old is not None and new != old:
        wrong("slot_duration", "is the old name of duration, and says something else")
    busy = one_of(query, "include_busy", ("true", "false"))
    one_of(query, "allow_stale", ("true", "false"))
    return AskedTime(start_ms, end_ms, DURATIONS_MIN[new or old or DEFAULT] * MINUTE_MS, busy == "true")


def busy_of(events: Iterable[CalendarEvent], asked: AskedTime, now_ms: int) -> list[Stretch]:
    """What is taken of the range, as stretches that do not touch."""
    taken = sorted(
        (max(each.start_ms, asked.start_ms), min(each.end_ms, asked.end_ms))
        for each in events
        if blocks(each, now_ms) and each.start_ms < asked.end_ms and asked.start_ms < each.end_ms
    )
    merged: list[Stretch] = []
    for start, end in taken:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def blocks(event: CalendarEvent, now_ms: int) -> bool:
    """Whether nobody else can have its time."""
    if event.is_transparent:
        return False
    return event.status in (Status.CONFIRMED, Status.TENTATIVE) or event.is_active_hold(now_ms)


def slots_of(busy: Sequence[Stretch], asked: AskedTime) -> list[Stretch]:
    """The free slots of the range."""
    slots = []
    at_ms = asked.start_ms
    for start, end in [*busy, (asked.end_ms, asked.end_ms)]:
        while at_ms + asked.duration_ms <= start:
            slots.append((at_ms, at_ms + asked.duration_ms))
            at_ms += asked.duration_ms
        at_ms = max(at_ms, end)
    return slots


def render_stretches(stretches: Iterable[Stretch]) -> list[dict[str, str]]:
    """How they are shown."""
    return [{"start": render_time(start), "end": render_time(end)} for start, end in stretches]


def render_availability(slots: Sequence[Stretch], health: Health) -> dict[str, Any]:
    """What the answers about a calendar and about an agent have in common."""
    return {"slots": render_stretches(slots), **render_health(health)}
