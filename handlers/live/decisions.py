"""Decisions of organisers and of the time: each is one Change, all or nothing (contract sections 3 and 5). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from broker.change import Answer, Change, Delete, DocumentKey
from broker.errors import Conflict, NotFound
from broker.storage.commit import Needs
from broker.storage.state import Loaded
from broker.strictjson import parse_stored, render_json
from broker.timers import Timer, TimerName
from handlers.live import moves
from handlers.live.channel_ids import team_channel_id
from handlers.live.documents import (
    WatchToken,
    event_key,
    parse_event,
    put_event,
    put_stream_keys,
    put_token,
    stream_keys_of,
    timer_name,
    timer_of,
)
from handlers.live.events import Cause, told
from handlers.live.live_event import LiveEvent, StreamKey, Visibility
from handlers.live.machine import Command, check_updatable
from handlers.live.moves import Fact, Moved, Pace
from handlers.live.wire import check_settings, render_event, render_token

NO_EVENT = "Event not found"
RELEASE_KIND = "live-release"
LAPSED = b'{"lapsed":true}'
"""In the place of an event whose maker took too long: its slug is somebody else's (`slugs`)."""


class Kept(NamedTuple):
    """An event as it was read, and the version of its document."""

    event: LiveEvent
    version: int


def kept_event(loaded: Loaded, tenant: str, event_id: str) -> Kept | None:
    """An event, also a deleted one; None where there is none."""
    document = loaded.documents[event_key(tenant, event_id)]
    if document is None or document.body == LAPSED:
        return None
    return Kept(parse_event(document.body), document.version)


def found_event(loaded: Loaded, tenant: str, event_id: str) -> Kept:
    """An event that is not deleted; raises `NotFound`."""
    kept = kept_event(loaded, tenant, event_id)
    if kept is None or kept.event.deleted_ms is not None:
        raise NotFound(NO_EVENT)
    return kept


def changing(kept: Kept, moved: Moved, pace: Pace, cause: Cause, answer: Answer | None = None) -> Change:
    """The Change that makes an event what it has become; where it stays as it is, the answer only."""
    if moved.event == kept.event:
        return Change(answer=answer)
    events = told(kept.event, moved.event, moved.facts, cause)
    return Change((put_event(moved.event, kept.version),), events, (timer_of(moved.event, pace),), answer)


def answer_of(event: LiveEvent, status: int = 200, **beside: Any) -> Answer:
    """What is answered about an event; what is shown beside it is shown once."""
    body = render_json({**render_event(event), **beside})
    return Answer(status, body, team_channel_id(event.tenant), is_secret=bool(beside))


def creating(event: LiveEvent, stream_key: str, pace: Pace, loaded: Loaded) -> Change:
    """Make an event whose slug was claimed for it. Raises `Conflict` where that took too long."""
    if loaded.documents[event_key(event.tenant, event.id)] is not None:
        raise Conflict("The slug was claimed by somebody else meanwhile", code="SLUG_TAKEN")
    status = moves.planned_status(event.scheduled_start_ms, loaded.now_ms, pace)
    made = replace(event, created_ms=loaded.now_ms, updated_ms=loaded.now_ms, status=status)
    documents = (put_event(made, 0), *put_stream_keys(made))
    events = told(None, made, [Fact("event.created", {})], "api")
    return Change(documents, events, (timer_of(made, pace),), answer_of(made, 201, stream_key=stream_key))


def updating(
    tenant: str, event_id: str, settings: Mapping[str, Any], password_hash: str | None, pace: Pace, loaded: Loaded
) -> Change:
    """Change an event; what is asked for and is so already changes nothing. Raises `Conflict`, `Invalid`."""
    kept = found_event(loaded, tenant, event_id)
    before = kept.event
    check_updatable(before.status)
    check_settings(settings, before, has_password=password_hash is not None)
    after = replace(before, **settings)
    if after.visibility is not Visibility.PASSWORD:
        after = replace(after, password_hash=None)
    elif password_hash is not None:
        after = replace(after, password_hash=password_hash)
    changed = sorted(name for name in LiveEvent.__slots__ if getattr(after, name) != getattr(before, name))
    if not changed:
        return Change(answer=answer_of(before))
    if {"visibility", "password_hash"} & set(changed):
        after = replace(after, access_epoch=before.access_epoch + 1)
    planned = moves.replanned(moves.touched(after, loaded.now_ms), loaded.now_ms, pace)
    names = ["password" if name == "password_hash" else name for name in changed]
    moved = Moved(planned.event, (Fact("event.updated", {"changed": names}), *planned.facts))
    return changing(kept, moved, pace, "api", answer_of(moved.event))


def moving(tenant: str, event_id: str, command: Command, ids: Sequence[str], pace: Pace, loaded: Loaded) -> Change:
    """Start the rehearsal, go live, or stop; `ids` are two fresh ones. Raises `Conflict`, also for a repeat."""
    kept, now_ms = found_event(loaded, tenant, event_id), loaded.now_ms
    match command:
        case Command.REHEARSE:
            moved = moves.rehearsed(kept.event, now_ms)
        case Command.START:
            moved = moves.started(kept.event, now_ms, iter(ids).__next__)
        case _:
            moved = moves.stopped(kept.event, now_ms)
    return changing(kept, moved, pace, "api", answer_of(moved.event))


def rotating(tenant: str, event_id: str, text: str, key: StreamKey, pace: Pace, loaded: Loaded) -> Change:
    """Give a new stream key; the old one is unknown from this very commit on. Raises `Conflict`."""
    kept = found_event(loaded, tenant, event_id)
    moved = moves.rekeyed(kept.event, key, loaded.now_ms)
    body = render_json({"event_id": event_id, "stream_key": text})
    answer = Answer(200, body, team_channel_id(tenant), is_secret=True)
    change = changing(kept, moved, pace, "api", answer)
    documents = (*change.documents, *_without_keys(kept.event, loaded), *put_stream_keys(moved.event))
    return replace(change, documents=documents)


def deleting(tenant: str, event_id: str, pace: Pace, loaded: Loaded) -> Change:
    """Delete an event: its stream key is unknown at once, its slug is released by a timer. Raises `Conflict`."""
    kept = found_event(loaded, tenant, event_id)
    change = changing(kept, moves.deleted(kept.event, loaded.now_ms), pace, "api", Answer(204, b""))
    release = Timer(TimerName(RELEASE_KIND, tenant, event_id), loaded.now_ms)
    return replace(
        change,
        documents=(*change.documents, *_without_keys(kept.event, loaded)),
        timers=(*change.timers, release),
    )


def minting(tenant: str, token: WatchToken, text: str, loaded: Loaded) -> Change:
    """Make a watch token; allowed in every mode, so that one can be made in advance."""
    kept = found_event(loaded, tenant, token.event_id)
    made = replace(token, created_ms=loaded.now_ms)
    fact = Fact("token.created", {"token_id": made.id, "prefix": made.prefix, "max_uses": made.max_uses})
    body = render_json({**render_token(made), "token": text})
    answer = Answer(201, body, team_channel_id(tenant), is_secret=True)
    return Change((put_token(made, 0),), told(kept.event, kept.event, [fact], "api"), (), answer)


def timing(tenant: str, event_id: str, tokens: Sequence[DocumentKey], pace: Pace, loaded: Loaded) -> Change:
    """What the time has brought for an event; a deleted one is purged, with the `tokens` that it has."""
    kept = kept_event(loaded, tenant, event_id)
    if kept is None:
        return Change()
    event, now_ms = kept.event, loaded.now_ms
    if event.deleted_ms is None:
        moved = moves.timed(event, now_ms, pace)
        if moved.event == event:
            # It came for what is no longer so: what comes next has its own time.
            return Change(timers=(timer_of(event, pace),)) if moves.next_due_ms(event, pace) else Change()
        return changing(kept, moved, pace, "timer")
    if event.deleted_ms + moves.KEPT_DELETED_MS > now_ms:
        return Change(timers=(timer_of(event, pace),))
    documents = [(key, loaded.documents[key]) for key in tokens]
    gone = (Delete(key, document.version) for key, document in documents if document is not None)
    purged = moves.touched(event, now_ms)
    events = told(event, purged, [Fact("event.purged", {})], "timer")
    return Change((Delete(event_key(tenant, event_id), kept.version), *gone), events, (timer_name(tenant, event_id),))


def _without_keys(event: LiveEvent, loaded: Loaded) -> tuple[Delete, ...]:
    keys = stream_keys_of(event)
    unseen = [key for key in keys if key not in loaded.documents]
    if unseen:
        raise Needs(*unseen)
    found = [(key, loaded.documents[key]) for key in keys]
    return tuple(Delete(key, document.version) for key, document in found if document is not None)


def event_of_key(body: bytes) -> tuple[str, str]:
    """The tenant and the event of a stream key's document."""
    own: dict[str, str] = parse_stored(body)
    return own["tenant"], own["event_id"]
