"""Crons: when they come to pass, and the scheduled webhooks that they keep ahead (contract section 6).

Times are found by cronsim. Where a clock is set forward, what would fall into the gap comes right after it; where it is
set back, a time of day that comes twice counts once, as in Debian's cron; hourly and more frequent ones count by real
time. Time zones are read from the system's database, or the tzdata package.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from handlers.cuey.machine import ScheduledWebhook, Target

MOST_AHEAD = 20
HORIZON_MS = 86_400_000
"""How far ahead there are scheduled webhooks of a cron, `MOST_AHEAD` at most; the next one always, whenever it is."""

MAX_EXPRESSION = 200
_FIELD = re.compile(r"(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?(,(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?)*", re.ASCII)
_SUNDAY_TWICE = re.compile(r"(?<![0-9/])0*7(?![0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cron:
    """What makes scheduled webhooks. `pending` are the ids of those that wait, in the order of their times.

    `last_ms` is the time of the last one that was made, 0 before there was any. `timezone` None is UTC.
    """

    id: str
    expression: str
    timezone: str | None
    target: Target
    is_active: bool
    created_at_ms: int
    updated_at_ms: int
    pending: tuple[str, ...] = ()
    last_ms: int = 0
    version: int = 1


def check_expression(expression: str) -> str:
    """`expression` when it has five fields of numbers and `* , - /`; raises `ValueError` that says what is wrong."""
    fields = expression.split()
    if len(expression) > MAX_EXPRESSION or len(fields) != 5:
        raise ValueError("must have five fields: minute, hour, day, month, weekday")
    if not all(_FIELD.fullmatch(each) for each in fields) or _SUNDAY_TWICE.search(fields[4]):
        raise ValueError("may have numbers, *, commas, - and / only; weekdays are 0 (Sunday) to 6")
    try:
        next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"is no cron expression: {str(error).lower()}") from None
    except StopIteration:
        raise ValueError("never comes to pass") from None
    return expression


def check_timezone(name: str) -> str:
    """`name` when it is a time zone of the IANA database; raises `ValueError`."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, such as Europe/Berlin") from None
    return name


def times_after(cron: Cron, after_ms: int) -> Iterator[int]:
    """When the cron comes to pass after a time, in ms, ever further on."""
    zone = ZoneInfo(cron.timezone) if cron.timezone else UTC
    start = datetime.fromtimestamp(after_ms // 1000, UTC).astimezone(zone)
    seen_ms = after_ms
    for moment in CronSim(cron.expression, start):
        # By what it is in UTC: on the day of a change two times of day may be one moment.
        at_ms = round(moment.astimezone(UTC).timestamp() * 1000)
        if at_ms > seen_ms:
            seen_ms = at_ms
            yield at_ms


def due_times(cron: Cron, now_ms: int) -> list[int]:
    """The times for which scheduled webhooks are to be made now. What was missed is not made up for."""
    found: list[int] = []
    room = MOST_AHEAD - len(cron.pending) if cron.is_active else 0
    for at_ms in times_after(cron, max(now_ms, cron.last_ms)):
        is_enough = bool(found or cron.pending)
        if len(found) >= room or (is_enough and at_ms > now_ms + HORIZON_MS):
            break
        found.append(at_ms)
    return found


def made_by(cron: Cron, event_id: str, at_ms: int, now_ms: int) -> ScheduledWebhook:
    """The scheduled webhook of a time of a cron."""
    return ScheduledWebhook(event_id, cron.target, at_ms, now_ms, now_ms, cron_id=cron.id)


def topped_up(cron: Cron, made: list[ScheduledWebhook]) -> Cron:
    """The cron, once these were made."""
    if not made:
        return cron
    return replace(cron, pending=(*cron.pending, *(each.id for each in made)), last_ms=made[-1].scheduled_at_ms)


def without(cron: Cron, event_id: str) -> Cron:
    """The cron, once one of its scheduled webhooks waits no more."""
    return replace(cron, pending=tuple(each for each in cron.pending if each != event_id))
