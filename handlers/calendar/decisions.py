"""Decisions on calls about events: each is one Change (contract sections 6 to 8). Pure.

The order of checks is: calendar, event, external, hold, body. Whoever meets a hold whose time is over raises `Due`:
that is settled first, by a Change of its own, so that one and the same step says it for timers and for callers.
"""

from collections.abc import Sequence
from typing import NamedTuple

from broker.change import Answer, Change, Delete, Document, DocumentKey, Emitted, join
from broker.errors import Conflict, Invalid, NotFound, Refusal, TooMany
from broker.ids import render_time
from broker.storage.commit import Needs
from broker.storage.state import Loaded
from broker.strictjson import render_json
from handlers.calendar.calendar_event import CalendarEvent, Status, parse_kept, render_calendar_event
from handlers.calendar.calendars import Calendar, parse_calendar
from handlers.calendar.documents import (
    calendar_key,
    event_key,
    expiry_timer,
    holds_key,
    moment_timer,
    put_event,
    put_holds,
)
from handlers.calendar.events import Cause, calendar_channel, told, told_of_hold, told_of_moment, told_whole
from handlers.calendar.holds import MOST_HOLDS, Hold, meet, parse_holds, split, without
from handlers.calendar.machine import TABLE, Command, check_may_change, check_may_end, ended, patched, touched
from handlers.calendar.models import EventPatched, EventTaken
from handlers.calendar.moments import due_moments, next_moment_ms
from handlers.calendar.times import parse_instant

LEAST_HOLD_MS = 30_000
MOST_HOLD_MS = 900_000


class Due(Exception):
    """A hold of this calendar is over and nobody has said so yet."""

    def __init__(self, calendar_id: str) -> None:
        super().__init__(calendar_id)
        self.calendar_id = calendar_id


class Place(NamedTuple):
    """A calendar as the caller may see it: an agent's key sees the agent's own only."""

    tenant: str
    calendar_id: str
    agent: str | None = None

    @property
    def keys(self) -> list[DocumentKey]:
        """What decisions on its events read first."""
        return [calendar_key(self.tenant, self.calendar_id), holds_key(self.tenant, self.calendar_id)]


class Known(NamedTuple):
    """An event with its calendar and the version of its document."""

    event: CalendarEvent
    calendar: Calendar
    version: int


def find_calendar(place: Place, loaded: Loaded) -> Calendar:
    """The calendar; raises `NotFound`."""
    document = loaded.documents[calendar_key(place.tenant, place.calendar_id)]
    calendar = parse_calendar(document.body) if document else None
    if calendar is None or place.agent not in (None, calendar.agent_id):
        raise NotFound("Calendar not found")
    return calendar


def find_event(place: Place, event_id: str, loaded: Loaded) -> Known:
    """The event, which must be of this calendar; raises `NotFound`, and `Due` for a hold whose time is over."""
    calendar = find_calendar(place, loaded)
    document = loaded.documents[event_key(place.tenant, event_id)]
    event = parse_kept(document.body) if document else None
    if document is None or event is None or event.calendar_id != place.calendar_id:
        raise NotFound("Event not found")
    if event.is_due_hold(loaded.now_ms):
        raise Due(place.calendar_id)
    return Known(event, calendar, document.version)


def creating(place: Place, asked: EventTaken, fresh_id: str, loaded: Loaded) -> Change:
    """A new event, or a new hold. Raises `NotFound`, `Invalid`, `Conflict`, `TooMany`, `Due`, `Needs`."""
    calendar, now_ms = find_calendar(place, loaded), loaded.now_ms
    event = _new(place, asked, fresh_id, now_ms)
    answer = _answer(place, event, 201)
    if event.status is Status.HOLD:
        return join((_holding(place, calendar, event, loaded),), answer)
    return Change(
        (put_event(place.tenant, event, calendar.agent_id, 0),),
        told_whole(place.tenant, "event.created", event, None, "api"),
        (moment_timer(place.tenant, event.id, next_moment_ms(event, calendar, now_ms)),),
        answer,
    )


def patching(place: Place, event_id: str, asked: EventPatched | Refusal, loaded: Loaded) -> Change:
    """Change an event. Raises `NotFound`, `Forbidden`, `Invalid`, `Due`."""
    known = find_event(place, event_id, loaded)
    check_may_change(known.event)
    if isinstance(asked, Refusal):
        raise asked
    after = patched(known.event, changes_of(asked), loaded.now_ms)
    return Change(
        (put_event(place.tenant, after, known.calendar.agent_id, known.version),),
        (
            *_moments(place.tenant, known, loaded.now_ms),
            *told_whole(place.tenant, "event.updated", after, known.event.status, "api"),
        ),
        (moment_timer(place.tenant, after.id, next_moment_ms(after, known.calendar, loaded.now_ms)),),
        _answer(place, after, 200),
    )


def deleting(place: Place, event_id: str, loaded: Loaded) -> Change:
    """Remove an event; an active hold frees its slot. Raises `NotFound`, `Forbidden`, `Due`."""
    known = find_event(place, event_id, loaded)
    if known.event.is_external:
        check_may_change(known.event)
    after = touched(known.event, loaded.now_ms)
    payload = {"event_id": event_id, "calendar_id": place.calendar_id}
    deleted = told(place.tenant, "event.deleted", after, known.event.status, "api", payload, at_ms=after.updated_ms)
    own = Change(
        (Delete(event_key(place.tenant, event_id), known.version),),
        (*_moments(place.tenant, known, loaded.now_ms), *deleted),
        (moment_timer(place.tenant, event_id, None),),
    )
    channel = calendar_channel(place.tenant, place.calendar_id)
    return join((own, _let_go(place, known.event, loaded)), Answer(204, b"", channel))


def ending(place: Place, event_id: str, command: Command, loaded: Loaded) -> Change:
    """Confirm or release a hold. Raises `NotFound`, `Forbidden`, `Conflict`, `Due`."""
    known = find_event(place, event_id, loaded)
    check_may_end(known.event)
    after = ended(known.event, command, loaded.now_ms)
    own = Change(
        (put_event(place.tenant, after, known.calendar.agent_id, known.version),),
        told_of_hold(place.tenant, TABLE[command][2], after),
        (moment_timer(place.tenant, event_id, next_moment_ms(after, known.calendar, loaded.now_ms)),),
    )
    return join((own, _let_go(place, known.event, loaded)), _answer(place, after, 200))


def settling(tenant: str, calendar_id: str, loaded: Loaded) -> Change:
    """Say of each hold of a calendar whose time is over that it is. The timer does this, and whoever meets one."""
    place = Place(tenant, calendar_id)
    document, kept = holds_of(place, loaded)
    expired, active = split(kept, loaded.now_ms)
    if document is None or not expired:
        return Change()
    ends = _ends(place, [(each, Command.EXPIRE) for each in expired], (), loaded)
    holds = Change(
        (put_holds(tenant, calendar_id, active, document.version),), (), (expiry_timer(tenant, calendar_id, active),)
    )
    return join((ends, holds))


def holds_of(place: Place, loaded: Loaded) -> tuple[Document | None, tuple[Hold, ...]]:
    """The document of a calendar's holds, and these."""
    document = loaded.documents[holds_key(place.tenant, place.calendar_id)]
    return document, parse_holds(document.body) if document else ()


def changes_of(asked: EventPatched) -> dict[str, object]:
    """The members of an event that a PATCH gives, as the event has them."""
    changes: dict[str, object] = {}
    for name in asked.model_fields_set:
        value = getattr(asked, name)
        match name:
            case "start_time" | "end_time":
                changes[f"{name.removesuffix('_time')}_ms"] = parse_instant(value)
            case "status":
                changes[name] = Status(value)
            case "reminders":
                changes[name] = None if value is None else tuple(value)
            case _:
                changes[name] = value
    return changes


def _new(place: Place, asked: EventTaken, fresh_id: str, now_ms: int) -> CalendarEvent:
    status = Status(asked.status)
    expires_ms = parse_instant(asked.hold_expires_at) if status is Status.HOLD else None
    if expires_ms is not None and not LEAST_HOLD_MS <= expires_ms - now_ms <= MOST_HOLD_MS:
        raise Invalid("hold_expires_at must be 30 seconds to 15 minutes from now", param="hold_expires_at")
    return CalendarEvent(
        id=fresh_id,
        calendar_id=place.calendar_id,
        title=asked.title,
        start_ms=parse_instant(asked.start_time),
        end_ms=parse_instant(asked.end_time),
        created_ms=now_ms,
        updated_ms=now_ms,
        description=asked.description if "description" in asked.model_fields_set else None,
        all_day=asked.all_day,
        status=status,
        metadata=asked.metadata,
        reminders=None if asked.reminders is None else tuple(asked.reminders),
        hold_expires_ms=expires_ms,
        hold_priority=asked.hold_priority,
        watched_ms=now_ms,
    )


def _holding(place: Place, calendar: Calendar, event: CalendarEvent, loaded: Loaded) -> Change:
    document, kept = holds_of(place, loaded)
    hold = Hold(event.id, event.start_ms, event.end_ms, event.hold_expires_ms or 0, event.hold_priority)
    met = meet(kept, hold, loaded.now_ms)
    if met.expired:
        raise Due(place.calendar_id)
    if met.blocking is not None:
        raise _conflict(place, met.blocking, loaded)
    if len(met.kept) > MOST_HOLDS:
        raise TooMany(f"A calendar has at most {MOST_HOLDS} active holds", type="quota_exceeded")
    bumps = _ends(place, [(each, Command.BUMP) for each in met.bumped], (event.id,), loaded)
    version = document.version if document else 0
    own = Change(
        (
            put_event(place.tenant, event, calendar.agent_id, 0),
            put_holds(place.tenant, place.calendar_id, met.kept, version),
        ),
        told_of_hold(place.tenant, "created", event),
        (expiry_timer(place.tenant, place.calendar_id, met.kept),),
    )
    return join((bumps, own))


def _conflict(place: Place, blocking: Hold, loaded: Loaded) -> Conflict:
    shown = {
        "id": blocking.id,
        "hold_expires_at": render_time(blocking.expires_ms),
        "hold_priority": blocking.priority,
    }
    channel = calendar_channel(place.tenant, place.calendar_id)
    cursor = loaded.tail.cursor if loaded.tail is not None and loaded.tail.channel_id == channel else None
    return Conflict(
        "A hold of the same or a higher priority has the slot",
        code="hold_conflict",
        hold=shown,
        channel=channel,
        cursor=cursor,
    )


def _ends(place: Place, ends: Sequence[tuple[Hold, Command]], order_with: tuple[str, ...], loaded: Loaded) -> Change:
    """End these holds, whose documents may still have to be seen (`Needs`)."""
    keys = {each: event_key(place.tenant, each.id) for each, _ in ends}
    calendar = calendar_key(place.tenant, place.calendar_id)
    unseen = [key for key in (calendar, *keys.values()) if key not in loaded.documents]
    if unseen and ends:
        raise Needs(*unseen)
    found = loaded.documents.get(calendar)
    owner = parse_calendar(found.body).agent_id if found else None
    parts = []
    for hold, command in ends:
        document = loaded.documents[keys[hold]]
        if document is not None:
            after = ended(parse_kept(document.body), command, loaded.now_ms)
            cause: Cause = "api" if command is Command.BUMP else "timer"
            events = told_of_hold(place.tenant, "expired", after, order_with=order_with, cause=cause)
            parts.append(Change((put_event(place.tenant, after, owner, document.version),), events))
    return join(parts)


def _let_go(place: Place, event: CalendarEvent, loaded: Loaded) -> Change:
    """Take what is no hold any more out of the calendar's holds."""
    document, kept = holds_of(place, loaded)
    left = without(kept, event.id)
    if document is None or len(left) == len(kept):
        return Change()
    return Change(
        (put_holds(place.tenant, place.calendar_id, left, document.version),),
        (),
        (expiry_timer(place.tenant, place.calendar_id, left),),
    )


def _moments(tenant: str, known: Known, now_ms: int) -> tuple[Emitted, ...]:
    """What is due and not told yet comes before the change: the clock decides, not the timer."""
    due = due_moments(known.event, known.calendar, now_ms)
    return tuple(each for moment in due for each in told_of_moment(tenant, known.event, moment, now_ms))


def _answer(place: Place, event: CalendarEvent, status: int) -> Answer:
    channel = calendar_channel(place.tenant, place.calendar_id)
    return Answer(status, render_json(render_calendar_event(event)), channel)
