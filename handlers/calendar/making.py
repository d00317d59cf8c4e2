"""Decisions on calendars and agents (contract sections 4 and 5). Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from broker.change import Answer, Change, Delete, Document, DocumentKey, join
from broker.errors import NotFound, Refusal
from broker.storage.state import Loaded
from broker.strictjson import render_json
from broker.timers import Timer, TimerName
from handlers.calendar.calendar_event import parse_kept
from handlers.calendar.calendars import Agent, Calendar, parse_agent, parse_calendar, render_agent, render_calendar
from handlers.calendar.decisions import Place, find_calendar
from handlers.calendar.documents import (
    EXPIRY_TIMER,
    PURGE_TIMER,
    REARM_TIMER,
    agent_key,
    calendar_key,
    event_key,
    holds_key,
    moment_timer,
    put_agent,
    put_calendar,
)
from handlers.calendar.events import calendar_channel, org_channel, told_of_agent, told_of_calendar
from handlers.calendar.feed_token import Feeds
from handlers.calendar.models import AgentTaken, CalendarPatched, CalendarTaken
from handlers.calendar.moments import next_moment_ms

MOST_AT_ONCE = 100
"""How many events a step of a purge or of a new default sees to."""


def find_agent(tenant: str, agent_id: str, caller: str | None, loaded: Loaded) -> Agent:
    """The agent, for an organisation or for itself; raises `NotFound`."""
    document = loaded.documents[agent_key(tenant, agent_id)]
    if document is None or caller not in (None, agent_id):
        raise NotFound("Agent not found")
    return parse_agent(document.body)


def creating_agent(tenant: str, asked: AgentTaken, fresh_id: str, loaded: Loaded) -> Change:
    """A new agent."""
    now_ms = loaded.now_ms
    agent = Agent(fresh_id, asked.name, asked.type, now_ms, now_ms, asked.description, metadata=asked.metadata)
    answer = Answer(201, render_json(render_agent(agent, tenant)), org_channel(tenant))
    return Change((put_agent(tenant, agent, 0),), told_of_agent(tenant, agent), (), answer)


def creating_calendar(
    tenant: str,
    asked: CalendarTaken,
    fresh_id: str,
    agent_id: str | None,
    caller: str | None,
    feeds: Feeds,
    loaded: Loaded,
) -> Change:
    """A new calendar, an agent's or the organisation's. Raises `NotFound` for the agent."""
    if agent_id is not None:
        find_agent(tenant, agent_id, caller, loaded)
    now_ms, defaults = loaded.now_ms, asked.default_reminders
    calendar = Calendar(
        id=fresh_id,
        name=asked.name,
        timezone=asked.timezone,
        created_ms=now_ms,
        updated_ms=now_ms,
        agent_id=agent_id,
        agent_status=asked.agent_status,
        default_reminders=None if defaults is None else tuple(defaults),
        metadata=asked.metadata,
    )
    events = told_of_calendar(tenant, "created", calendar)
    return Change((put_calendar(tenant, calendar, 0),), events, (), _answer(tenant, calendar, feeds, 201))


def patching_calendar(place: Place, asked: CalendarPatched | Refusal, feeds: Feeds, loaded: Loaded) -> Change:
    """Change a calendar. Raises `NotFound`, `Invalid`.

    New defaults count for what is not due yet: a timer arms the events that inherit them anew.
    """
    before = find_calendar(place, loaded)
    if isinstance(asked, Refusal):
        raise asked
    changes: dict[str, Any] = {name: getattr(asked, name) for name in asked.model_fields_set}
    timers: tuple[Timer, ...] = ()
    if "default_reminders" in changes:
        given = changes["default_reminders"]
        changes |= {"default_reminders": None if given is None else tuple(given), "defaults_ms": loaded.now_ms}
        timers = (Timer(TimerName(REARM_TIMER, place.tenant, before.id), loaded.now_ms),)
    after = replace(_touched(before, loaded.now_ms), **changes)
    return Change(
        (put_calendar(place.tenant, after, _version(loaded, calendar_key(place.tenant, before.id))),),
        told_of_calendar(place.tenant, "updated", after),
        timers,
        _answer(place.tenant, after, feeds, 200),
    )


def rotating_feed(place: Place, feeds: Feeds, loaded: Loaded) -> Change:
    """A new address for the feed of a calendar. Raises `NotFound`."""
    before, tenant = find_calendar(place, loaded), place.tenant
    after = replace(_touched(before, loaded.now_ms), feed_epoch=before.feed_epoch + 1)
    return Change(
        (put_calendar(tenant, after, _version(loaded, calendar_key(tenant, before.id))),),
        told_of_calendar(tenant, "updated", after),
        (),
        _answer(tenant, after, feeds, 200),
    )


def deleting_calendar(place: Place, event_ids: Sequence[str], loaded: Loaded) -> Change:
    """Remove a calendar, its holds and these of its events; a timer removes the others. Raises `NotFound`."""
    before, tenant = find_calendar(place, loaded), place.tenant
    after = _touched(before, loaded.now_ms)
    gone = [calendar_key(tenant, before.id), holds_key(tenant, before.id)]
    documents = tuple(Delete(key, found.version) for key in gone if (found := loaded.documents[key]) is not None)
    own = Change(
        documents,
        told_of_calendar(tenant, "deleted", after),
        (
            TimerName(EXPIRY_TIMER, tenant, before.id),
            TimerName(REARM_TIMER, tenant, before.id),
            Timer(TimerName(PURGE_TIMER, tenant, before.id), loaded.now_ms),
        ),
    )
    return join((own, purging(tenant, event_ids, loaded)), Answer(204, b"", calendar_channel(tenant, before.id)))


def purging(tenant: str, event_ids: Sequence[str], loaded: Loaded) -> Change:
    """Remove events of a calendar that is gone, and their timers: nothing is told of them."""
    documents = []
    for each in event_ids:
        found = loaded.documents[event_key(tenant, each)]
        if found is not None:
            documents.append(Delete(event_key(tenant, each), found.version))
    return Change(tuple(documents), (), tuple(moment_timer(tenant, each, None) for each in event_ids))


def rearming(tenant: str, calendar_id: str, event_ids: Sequence[str], loaded: Loaded) -> Change:
    """Arm these events of a calendar by what their reminders are now."""
    found = loaded.documents[calendar_key(tenant, calendar_id)]
    if found is None:
        return Change()
    calendar, timers = parse_calendar(found.body), []
    for each in event_ids:
        document: Document | None = loaded.documents[event_key(tenant, each)]
        if document is not None:
            # From what was seen to: what is due this moment is still to be told.
            event = parse_kept(document.body)
            timers.append(moment_timer(tenant, each, next_moment_ms(event, calendar, event.watched_ms)))
    return Change((), (), tuple(timers))


def show_calendar(calendar: Calendar, tenant: str, feeds: Feeds) -> dict[str, Any]:
    """How a calendar is shown to who may see it: with the address of its feed, which is never told on channels."""
    return {**render_calendar(calendar, tenant), "ical_url": feeds.url(tenant, calendar)}


def _touched(calendar: Calendar, now_ms: int) -> Calendar:
    """The calendar as changed now; `updated_at` strictly grows."""
    return replace(calendar, updated_ms=max(now_ms, calendar.updated_ms + 1), version=calendar.version + 1)


def _version(loaded: Loaded, key: DocumentKey) -> int:
    found = loaded.documents[key]
    return found.version if found else 0


def _answer(tenant: str, calendar: Calendar, feeds: Feeds, status: int) -> Answer:
    body = render_json(show_calendar(calendar, tenant, feeds))
    return Answer(status, body, calendar_channel(tenant, calendar.id))
