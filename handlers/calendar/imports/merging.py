"""Merging a feed into a calendar: what differs, and a page of that as one Change (contract 11.2, D8). Pure.

What is there is compared with what the feed says, so a merge that stopped half-way is made good by doing it again; and
what did not change is no change. An event of a feed is born, reminded of, begun and ended like any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from broker.change import Change, Delete, join
from broker.storage.state import Loaded
from handlers.calendar.calendar_event import CalendarEvent, Status, parse_kept
from handlers.calendar.calendars import Calendar, parse_calendar
from handlers.calendar.documents import IMPORTED_KEPT_MS, calendar_key, event_key, moment_timer, put_event
from handlers.calendar.events import told, told_of_moment, told_whole
from handlers.calendar.imports.documents import find_kept, put_subscription
from handlers.calendar.imports.occurrence import Occurrence, event_id_of
from handlers.calendar.imports.runs import Run, Superseded
from handlers.calendar.machine import touched
from handlers.calendar.moments import due_moments, next_moment_ms

MOST_STEPS = 100
"""How many events a page sees to: four or five operations each, but for those that something is due of."""

MOST_UID = 1_000


class Step(NamedTuple):
    """What is to become of one event: what the feed says of it, or None where that has it no more."""

    event_id: str
    wanted: Occurrence | None


def plan(subscription_id: str, wanted: Iterable[Occurrence], there: Mapping[str, CalendarEvent]) -> list[Step]:
    """What has to change for the events that are there to be those of the feed: first what goes, then by start."""
    named = {event_id_of(subscription_id, each): each for each in wanted}
    gone = sorted((each.start_ms, event_id) for event_id, each in there.items() if event_id not in named)
    steps = [Step(event_id, None) for _, event_id in gone]
    for event_id, occurrence in sorted(named.items(), key=lambda each: (each[1].start_ms, each[0])):
        if event_id not in there or contents(there[event_id]) != contents_of(subscription_id, occurrence):
            steps.append(Step(event_id, occurrence))
    return steps


def contents(event: CalendarEvent) -> dict[str, Any]:
    """What of an event its feed says."""
    return {name: getattr(event, name) for name in _CONTENTS}


_CONTENTS = (
    "title",
    "description",
    "start_ms",
    "end_ms",
    "all_day",
    "status",
    "is_transparent",
    "metadata",
    "subscription_id",
)


def contents_of(subscription_id: str, occurrence: Occurrence) -> dict[str, Any]:
    """The same of what a feed says."""
    metadata = {"ical_subscription_id": subscription_id, "ical_uid": occurrence.uid[:MOST_UID]}
    more = {"ical_recurrence": occurrence.recurrence, "location": occurrence.location}
    return {
        "title": occurrence.title,
        "description": occurrence.description,
        "start_ms": occurrence.start_ms,
        "end_ms": occurrence.end_ms,
        "all_day": occurrence.all_day,
        "status": Status(occurrence.status),
        "is_transparent": occurrence.is_transparent,
        "metadata": {**metadata, **{name: text for name, text in more.items() if text}},
        "subscription_id": subscription_id,
    }


def merging(run: Run, steps: Sequence[Step], loaded: Loaded) -> Change:
    """A page of a merge. Raises `Superseded` where this poll is not the last one any more, or nothing is to be merged.

    With the first page the feed counts as never seen, until all of it is merged.
    """
    found = find_kept(run.tenant, run.subscription.id, loaded)
    document = loaded.documents[calendar_key(run.tenant, run.subscription.calendar_id)]
    if found is None or found[0].run != run.subscription.run or document is None:
        raise Superseded
    subscription, version = found
    calendar = parse_calendar(document.body)
    forgotten = Change()
    if subscription.seen is not None:
        forgotten = Change((put_subscription(run.tenant, replace(subscription, seen=None), version),))
    return join((forgotten, *(_step(run, calendar, each, loaded) for each in steps)))


def forgetting(tenant: str, calendar_id: str, event_ids: Sequence[str], loaded: Loaded) -> Change:
    """Remove events of a subscription that is gone; told of where their calendar is still there."""
    found = loaded.documents[calendar_key(tenant, calendar_id)]
    calendar = parse_calendar(found.body) if found else None
    return join(_removed(tenant, calendar, each, loaded) for each in event_ids)


def _step(run: Run, calendar: Calendar, step: Step, loaded: Loaded) -> Change:
    if step.wanted is None:
        return _removed(run.tenant, calendar, step.event_id, loaded)
    if step.wanted.end_ms + IMPORTED_KEPT_MS <= loaded.now_ms:
        return Change()
    document = loaded.documents[event_key(run.tenant, step.event_id)]
    said = contents_of(run.subscription.id, step.wanted)
    if document is None:
        return _put(run, calendar, _born(run, step.event_id, said, loaded.now_ms), None, 0, loaded.now_ms)
    before = parse_kept(document.body)
    if contents(before) == said:
        return Change()
    after = replace(touched(before, loaded.now_ms), **said, watched_ms=loaded.now_ms)
    return _put(run, calendar, after, before, document.version, loaded.now_ms)


def _born(run: Run, event_id: str, said: dict[str, Any], now_ms: int) -> CalendarEvent:
    return CalendarEvent(
        id=event_id,
        calendar_id=run.subscription.calendar_id,
        created_ms=now_ms,
        updated_ms=now_ms,
        source="external_ical",
        watched_ms=now_ms,
        **said,
    )


def _put(
    run: Run, calendar: Calendar, event: CalendarEvent, before: CalendarEvent | None, expected: int, now_ms: int
) -> Change:
    kind, previous = ("event.created", None) if before is None else ("event.updated", before.status)
    # What is due and not told yet comes before the change, as everywhere.
    due = () if before is None else due_moments(before, calendar, now_ms)
    moments = tuple(each for moment in due for each in told_of_moment(run.tenant, before or event, moment, now_ms))
    return Change(
        (put_event(run.tenant, event, calendar.agent_id, expected),),
        (*moments, *told_whole(run.tenant, kind, event, previous, "feed")),
        (moment_timer(run.tenant, event.id, next_moment_ms(event, calendar, now_ms)),),
    )


def _removed(tenant: str, calendar: Calendar | None, event_id: str, loaded: Loaded) -> Change:
    key = event_key(tenant, event_id)
    document = loaded.documents[key]
    if document is None:
        return Change()
    before, gone = parse_kept(document.body), Delete(key, document.version)
    disarmed = moment_timer(tenant, event_id, None)
    if calendar is None:
        return Change((gone,), (), (disarmed,))
    due = due_moments(before, calendar, loaded.now_ms)
    moments = tuple(each for moment in due for each in told_of_moment(tenant, before, moment, loaded.now_ms))
    after = touched(before, loaded.now_ms)
    payload = {"event_id": event_id, "calendar_id": before.calendar_id}
    events = told(tenant, "event.deleted", after, before.status, "feed", payload, at_ms=after.updated_ms)
    return Change((gone,), (*moments, *events), (disarmed,))
