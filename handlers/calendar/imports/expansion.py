"""From the bytes of a feed to what happens in a span of time (RFC 5545). Pure, and at the feed's mercy.

What it costs is not bounded here: a rule may have an occurrence each second for ever. It is run by `child.py` only, a
process with limits. Where an event cannot be read it is left out and counted; the others are good.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events  # type: ignore[import-untyped]

from handlers.calendar.imports.occurrence import Expanded, Occurrence, Span
from handlers.calendar.texts import plain

MOST_TITLE = 500
MOST_DESCRIPTION = 8_192
MOST_LOCATION = 500
UNTITLED = "Busy"
_EPOCH = datetime.fromtimestamp(0, UTC)
_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)
_RECURS = ("RRULE", "RDATE", "RECURRENCE-ID")


class Unreadable(Exception):
    """The feed is of no use; says why, in words for who subscribed to it."""


def expand(feed: bytes, span: Span) -> Expanded:
    """What happens in the span, by start; raises `Unreadable`."""
    calendars = _parsed(feed)
    zone = ZoneInfo(span.zone)
    found: dict[tuple[str, str], Occurrence] = {}
    left_out = 0
    for calendar in calendars:
        for uid, series in _by_uid(calendar).items():
            try:
                own = [each._replace(uid=uid) for each in _occurrences(calendar, series, span, zone)]
            except MemoryError:
                raise
            except Exception:
                # Whatever the libraries raise for what somebody wrote: of this event nothing is known.
                left_out += 1
                continue
            for each in own:
                key = each.uid, each.recurrence
                # Where a rule was moved from one occurrence on, all of these name that one.
                named = each if key not in found else each._replace(recurrence=f"{each.recurrence}/{each.start_ms}")
                found[named.uid, named.recurrence] = named
            if len(found) > span.most:
                raise Unreadable(f"it has more than {span.most} occurrences from 30 days ago to a year ahead")
    return Expanded(sorted(found.values(), key=lambda each: (each.start_ms, each.uid, each.recurrence)), left_out)


def _parsed(feed: bytes) -> list[icalendar.Calendar]:
    try:
        parsed = icalendar.Calendar.from_ical(feed, multiple=True)
    except MemoryError:
        raise
    except Exception:
        # What is malformed is not only refused by `ValueError`: a parameter of two values is an `AttributeError`.
        raise Unreadable("it is no iCalendar file") from None
    calendars = [each for each in parsed if each.name == "VCALENDAR"]
    if not calendars:
        raise Unreadable("it is no iCalendar file: there is no VCALENDAR in it")
    return calendars


def _by_uid(calendar: icalendar.Component) -> dict[str, list[icalendar.Component]]:
    series: dict[str, list[icalendar.Component]] = defaultdict(list)
    for event in calendar.walk("VEVENT"):
        # One without a UID is known by what it says.
        series[_text(event, "UID") or hashlib.sha256(event.to_ical()).hexdigest()].append(event)
    return series


def _occurrences(
    calendar: icalendar.Component, series: Iterable[icalendar.Component], span: Span, zone: ZoneInfo
) -> Iterator[Occurrence]:
    """Of one UID: alone in a calendar, so that nothing in it spoils others."""
    alone, recurs = icalendar.Calendar(), False
    for name in ("CALSCALE", "X-WR-TIMEZONE"):
        if name in calendar:
            alone[name] = calendar[name]
    for event in series:
        _check_zones(event)
        alone.add_component(event)
        recurs = recurs or any(name in event for name in _RECURS)
    from_, to = (_EPOCH + timedelta(milliseconds=each) for each in (span.from_ms, span.to_ms))
    # A day more on either side: dates have no zone there.
    for each in recurring_ical_events.of(alone).between(from_ - _DAY, to + _DAY):
        occurrence = _occurrence(each, recurs, zone)
        if occurrence.start_ms < span.to_ms and occurrence.end_ms > span.from_ms:
            yield occurrence


def _check_zones(event: icalendar.Component) -> None:
    """Raises `ValueError` for a time in a zone that nobody knows: taken as local it would be another time."""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        value: Any = event.get(name)
        if value is not None and "TZID" in value.params and _is_floating(value.dt):
            raise ValueError(name)


def _is_floating(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is None


def _occurrence(event: icalendar.Component, recurs: bool, zone: ZoneInfo) -> Occurrence:
    start, end = _when(event, "DTSTART"), _when(event, "DTEND")
    start_ms, end_ms = _ms(start, zone), _ms(end, zone)
    is_empty = end_ms <= start_ms
    return Occurrence(
        uid="",
        recurrence=_recurrence(_when(event, "RECURRENCE-ID"), zone) if recurs else "",
        start_ms=start_ms,
        end_ms=start_ms + 1 if is_empty else end_ms,
        title=(_text(event, "SUMMARY") or "").strip()[:MOST_TITLE] or UNTITLED,
        description=_cut(_text(event, "DESCRIPTION"), MOST_DESCRIPTION),
        all_day=not isinstance(start, datetime),
        status=_status(event),
        is_transparent=is_empty or (_text(event, "TRANSP") or "").upper() == "TRANSPARENT",
        location=_cut(_text(event, "LOCATION"), MOST_LOCATION),
    )


def _when(event: icalendar.Component, name: str) -> date:
    value: Any = event[name]
    when: date = value.dt
    return when


def _status(event: icalendar.Component) -> Any:
    word = (_text(event, "STATUS") or "").lower()
    return word if word in ("tentative", "cancelled") else "confirmed"


def _recurrence(value: date, zone: ZoneInfo) -> str:
    return str(_ms(value, zone)) if isinstance(value, datetime) else value.isoformat()


def _ms(value: date, zone: ZoneInfo) -> int:
    """A date is its first moment in the zone, and so is a time that has none."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=zone)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return (moment - _EPOCH) // _MS


def _text(event: icalendar.Component, name: str) -> str | None:
    value = event.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None else plain(str(value).encode(errors="replace").decode())


def _cut(text: str | None, most: int) -> str | None:
    return text[:most] if text else None
