"""Decisions on whole calls: each is one Change, all or nothing (contract section 5). Pure.

The order of checks is that of the contract: first what is not there, then what is in the wrong state; each refusal
lists all that it is about.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from broker.change import NOTHING, Answer, Change, Document, join
from broker.errors import Conflict, NotFound, Refusal, TooMany
from broker.storage.state import Loaded
from broker.strictjson import render_json
from handlers.lifecycle.documents import MOST_OPEN, key_of, parse_stored, put_of
from handlers.lifecycle.events import channel_of, told
from handlers.lifecycle.machine import CREATED, TABLE, Command, LifecycleEvent, Plan, created, moved
from handlers.lifecycle.wire import Named, render_events


class Draft(NamedTuple):
    """A plan, and the UUIDs that its event gets if it is made."""

    plan: Plan
    chat_id: str
    room_id: str


def creating(tenant: str, drafts: Sequence[Draft], open_count: int, loaded: Loaded) -> Change:
    """Make these events. One that is there already, and was planned alike, is answered as it is now.

    `open_count` is how many the tenant has open. Raises `Conflict` for an id that was used for another plan, `TooMany`.
    """
    parts, events, details = [], [], []
    for number, draft in enumerate(drafts):
        known = loaded.documents[key_of(tenant, draft.plan.id)]
        if known is None:
            event = created(*draft, loaded.now_us * 1000)
            parts.append(Change((put_of(tenant, event, 0),), (told(channel_of(tenant), CREATED, event, None),)))
        else:
            event = parse_stored(known.body)
            if not is_same(event.plan, draft.plan):
                details.append({"argument": number, "id": event.id, "field": "id", "message": "is used already"})
        events.append(event)
    if details:
        raise _all_of(Conflict, "already_exists", "Events with other content have these ids already", details)
    if parts and open_count + len(parts) > MOST_OPEN:
        raise TooMany(f"At most {MOST_OPEN} events may be pending or started: cancel or finish some", retry_after_s=60)
    return join(parts, _answer(tenant, events))


def moving(tenant: str, command: Command, named: Sequence[Named], loaded: Loaded) -> Change:
    """Move these events. Raises `NotFound` for ids that are unknown, `Conflict` for events in another state."""
    parts, events, details = [], [], []
    for each, document in zip(named, find_all(tenant, named, loaded), strict=True):
        before = parse_stored(document.body)
        try:
            after = moved(before, command, loaded.now_us * 1000)
        except Conflict as conflict:
            details.append({"argument": each.argument, "id": each.id, "message": conflict.message})
            continue
        parts.append(_change(tenant, command, before, after, document.version))
        events.append(after)
    if details:
        raise _all_of(Conflict, "failed_precondition", str(details[0]["message"]), details)
    return join(parts, _answer(tenant, events))


def selected(tenant: str, named: Sequence[Named], loaded: Loaded) -> list[LifecycleEvent]:
    """These events as they are; raises `NotFound`."""
    return [parse_stored(document.body) for document in find_all(tenant, named, loaded)]


def find_all(tenant: str, named: Sequence[Named], loaded: Loaded) -> list[Document]:
    """The documents of these events, in their order; raises `NotFound` that lists those that are not there."""
    found = [loaded.documents[key_of(tenant, each.id)] for each in named]
    missing = [each for each, document in zip(named, found, strict=True) if document is None]
    if missing:
        details = [{"argument": each.argument, "id": each.id, "message": "is unknown"} for each in missing]
        raise _all_of(NotFound, "not_found", "There are no events with these ids", details)
    return [document for document in found if document is not None]


def is_same(plan: Plan, other: Plan) -> bool:
    """Whether two plans ask for the same: as JSON, in which 1, 1.0 and true are three things."""
    return _canonical(plan) == _canonical(other)


def _change(tenant: str, command: Command, before: LifecycleEvent, after: LifecycleEvent, version: int) -> Change:
    if after is before:
        return NOTHING
    kind = TABLE[before.status, command].told_as
    return Change((put_of(tenant, after, version),), (told(channel_of(tenant), kind, after, before.status),))


def _answer(tenant: str, events: Sequence[LifecycleEvent]) -> Answer:
    return Answer(200, render_json(render_events(events)), channel_of(tenant))


def _all_of(kind: type[Refusal], code: str, message: str, details: list[dict[str, Any]]) -> Refusal:
    ids = ", ".join(each["id"] for each in details[:3]) + (", ..." if len(details) > 3 else "")
    return kind(f"{message}: {ids}", code=code, details=details)


def _canonical(plan: Plan) -> str:
    return json.dumps([getattr(plan, name) for name in Plan.__slots__], sort_keys=True)
