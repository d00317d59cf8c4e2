"""What changes an event: a call, an encoder, or the time (contract sections 3 and 5). Pure.

Each function gives the event as it is afterwards and the facts to tell of it, or raises `Conflict`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from broker.channels import DAY_MS
from broker.errors import Conflict
from handlers.live.live_event import MOST_SESSIONS, LiveEvent, Recording, RecordingState, Session, StreamKey
from handlers.live.machine import STREAMABLE, Command, Status, check_idle, led

KEPT_DELETED_MS = 30 * DAY_MS
"""How long a deleted event is kept before it is purged."""


class Fact(NamedTuple):
    """Something to tell: the type of the channel event after `live.`, and its own members."""

    kind: str
    members: dict[str, Any]


class Moved(NamedTuple):
    """An event after a change, and what is to be told of it."""

    event: LiveEvent
    facts: tuple[Fact, ...] = ()


class Pace(NamedTuple):
    """Spans of time in ms: from when on an event is ready, when one that never began is cancelled, and how long its
    recordings may take to be whole."""

    lead_ms: int = 3_600_000
    cancel_after_ms: int = DAY_MS
    processing_ms: int = 3_600_000


FreshId = Callable[[], str]
_NONE: tuple[Fact, ...] = ()


def touched(event: LiveEvent, now_ms: int, **changed: Any) -> LiveEvent:
    """The event with what changed; its time never runs backwards, whatever the clock does."""
    return replace(event, version=event.version + 1, updated_ms=max(now_ms, event.updated_ms), **changed)


def planned_status(scheduled_start_ms: int | None, now_ms: int, pace: Pace) -> Status:
    """In which status an event stands that has not begun: ready from a while before its start on."""
    is_far = scheduled_start_ms is not None and scheduled_start_ms - pace.lead_ms > now_ms
    return Status.SCHEDULED if is_far else Status.READY


def replanned(event: LiveEvent, now_ms: int, pace: Pace) -> Moved:
    """Moves between scheduled and ready as the start time asks for; nothing where it stands right."""
    wanted = planned_status(event.scheduled_start_ms, now_ms, pace)
    if wanted is event.status or event.status not in (Status.SCHEDULED, Status.READY):
        return Moved(event)
    command, kind = (
        (Command.READY, "event.readied") if wanted is Status.READY else (Command.SCHEDULE, "event.scheduled")
    )
    return Moved(replace(event, status=led(event.status, command)), (Fact(kind, {}),))


def rehearsed(event: LiveEvent, now_ms: int) -> Moved:
    """The rehearsal begins: the encoder may stream, nobody sees it, nothing is recorded."""
    status = led(event.status, Command.REHEARSE)
    if not event.rehearsal_enabled:
        raise Conflict("Rehearsal is not enabled for this event", code="REHEARSAL_DISABLED")
    return Moved(touched(event, now_ms, status=status), (Fact("event.rehearsed", {}),))


def started(event: LiveEvent, now_ms: int, fresh_id: FreshId) -> Moved:
    """It goes live: a session opens, and is recorded where that is wanted."""
    status = led(event.status, Command.START)
    session = _session(event, now_ms, fresh_id)
    after = touched(event, now_ms, status=status, sessions=(*event.sessions, session))
    return Moved(after, (Fact("event.started", {"session_id": session.id}), *_facts_of_start(session)))


def stopped(event: LiveEvent, now_ms: int) -> Moved:
    """It ends, also from rehearsal: the encoder is cut, the session ends, its recording is to be made whole."""
    status, was = led(event.status, Command.STOP), event.status
    sessions, facts = _closed(event, now_ms)
    after = touched(
        event, now_ms, status=status, sessions=sessions, encoder_ms=None, encoder_left_ms=_left(event, now_ms)
    )
    return Moved(after, (Fact("event.stopped", {"from": str(was)}), *facts))


def settled(event: LiveEvent, now_ms: int) -> Moved:
    """The next step of an event that ends: to processing while recordings are not whole, else to its end."""
    if any(each.is_pending for each in event.recordings):
        ids = [each.id for each in event.recordings if each.is_pending]
        status = led(event.status, Command.PROCESS)
        return Moved(touched(event, now_ms, status=status), (Fact("event.processed", {"recordings": ids}),))
    after = touched(event, now_ms, status=led(event.status, Command.END))
    facts = [Fact("event.ended", {"reason": None})]
    found = after.replay_at(after.updated_ms)
    if after.replay_enabled and found is not None:
        facts.append(Fact("replay.published", {"recording_id": found[1].id}))
    return Moved(after, tuple(facts))


def recorded(event: LiveEvent, recording_id: str, now_ms: int, duration_ms: int | None) -> Moved:
    """A recording is whole, or has failed (no duration); the last one that was waited for ends the processing.

    Also of a deleted event. What was told before changes nothing. Raises `Conflict` for none of the event's.
    """
    known = next((each for each in event.recordings if each.id == recording_id), None)
    if known is None:
        raise Conflict("The event has no such recording")
    if not known.is_pending:
        return Moved(event)
    if duration_ms is None:
        now = replace(known, state=RecordingState.FAILED)
        facts: tuple[Fact, ...] = (Fact("recording.failed", {"recording_id": known.id}),)
    else:
        now = replace(known, state=RecordingState.FINALISED, duration_ms=duration_ms, finalised_ms=now_ms)
        facts = (Fact("recording.finalised", {"recording_id": known.id}),)
    after = touched(event, now_ms, sessions=_with(event.sessions, now))
    if after.status is Status.PROCESSING and not any(each.is_pending for each in after.recordings):
        ended = settled(replace(after, version=event.version), now_ms)
        return Moved(ended.event, (*facts, *ended.facts))
    return Moved(after, facts)


def connected(event: LiveEvent, now_ms: int, fresh_id: FreshId) -> Moved:
    """An encoder connects: it starts an event that wants that, or goes on in a session of its own while live.

    Raises `Conflict` where there is nothing to stream for.
    """
    if event.deleted_ms is not None or event.status not in STREAMABLE:
        raise Conflict(f"The event is {event.status}; no encoder may connect")
    told = Fact("ingest.connected", {"stream_key": event.key.prefix})
    if event.status is Status.READY and event.auto_start_on_ingest:
        moved = started(replace(event, encoder_ms=now_ms, encoder_left_ms=None), now_ms, fresh_id)
        return Moved(moved.event, (told, *moved.facts))
    sessions, facts = event.sessions, _NONE
    if event.status is Status.LIVE:
        sessions, facts = _taken_over(event, now_ms, fresh_id)
    after = touched(event, now_ms, encoder_ms=now_ms, encoder_left_ms=None, sessions=sessions)
    return Moved(after, (told, *facts))


def disconnected(event: LiveEvent, now_ms: int) -> Moved:
    """The encoder is gone. A live event stays live: its session ends when it stops, or when an encoder comes back."""
    if event.encoder_ms is None:
        return Moved(event)
    after = touched(event, now_ms, encoder_ms=None, encoder_left_ms=now_ms)
    return Moved(after, (Fact("ingest.disconnected", {"stream_key": event.key.prefix}),))


def rekeyed(event: LiveEvent, key: StreamKey, now_ms: int) -> Moved:
    """It has a new stream key; whoever streams with the old one is cut."""
    check_idle(event.status, "get a new stream key")
    after = touched(event, now_ms, key=key, encoder_ms=None, encoder_left_ms=_left(event, now_ms))
    return Moved(after, (Fact("stream_key.rotated", {"stream_key": key.prefix}),))


def deleted(event: LiveEvent, now_ms: int) -> Moved:
    """It is deleted, and kept for 30 days where nobody sees it."""
    check_idle(event.status, "be deleted")
    after = touched(event, now_ms, deleted_ms=now_ms, encoder_ms=None)
    return Moved(after, (Fact("event.deleted", {}),))


def next_due_ms(event: LiveEvent, pace: Pace) -> int | None:
    """When time alone changes it next: its timer; None for never."""
    if event.deleted_ms is not None:
        return event.deleted_ms + KEPT_DELETED_MS
    cancels = None if event.scheduled_end_ms is None else event.scheduled_end_ms + pace.cancel_after_ms
    match event.status:
        case Status.SCHEDULED:
            return min(max(0, (event.scheduled_start_ms or 0) - pace.lead_ms), cancels or 1 << 53)
        case Status.READY:
            return cancels
        case Status.ENDING:
            return event.updated_ms
        case Status.PROCESSING:
            return event.updated_ms + pace.processing_ms
        case _:
            ends = [each for each in map(event.expires_ms, event.recordings) if each is not None]
            return min(ends, default=None)


def timed(event: LiveEvent, now_ms: int, pace: Pace) -> Moved:
    """What the time has brought by now; nothing where nothing is due. A deleted event is not for this."""
    due = next_due_ms(event, pace)
    if due is None or due > now_ms or event.deleted_ms is not None:
        return Moved(event)
    match event.status:
        case Status.SCHEDULED | Status.READY:
            return _begun_or_cancelled(event, now_ms, pace)
        case Status.ENDING:
            return settled(event, now_ms)
        case Status.PROCESSING:
            return _given_up(event, now_ms)
        case _:
            return _expired(event, now_ms)


def _begun_or_cancelled(event: LiveEvent, now_ms: int, pace: Pace) -> Moved:
    if event.scheduled_end_ms is not None and event.scheduled_end_ms + pace.cancel_after_ms <= now_ms:
        after = touched(event, now_ms, status=led(event.status, Command.CANCEL))
        return Moved(after, (Fact("event.cancelled", {"reason": "it never went live"}),))
    moved = replanned(event, now_ms, pace)
    return Moved(touched(moved.event, now_ms), moved.facts)


def _given_up(event: LiveEvent, now_ms: int) -> Moved:
    facts: list[Fact] = []
    sessions = event.sessions
    for each in event.recordings:
        if each.is_pending:
            sessions = _with(sessions, replace(each, state=RecordingState.FAILED))
            facts.append(Fact("recording.failed", {"recording_id": each.id}))
    ended = settled(replace(event, sessions=sessions), now_ms)
    return Moved(ended.event, (*facts, *ended.facts))


def _expired(event: LiveEvent, now_ms: int) -> Moved:
    facts: list[Fact] = []
    sessions = event.sessions
    for each in event.recordings:
        ends_ms = event.expires_ms(each)
        if ends_ms is not None and ends_ms <= now_ms:
            sessions = _with(sessions, replace(each, state=RecordingState.EXPIRED))
            facts.append(Fact("recording.expired", {"recording_id": each.id}))
    after = touched(event, now_ms, sessions=sessions)
    # Before its end nothing was published.
    if event.status is Status.ENDED and event.replay_enabled and after.replay_at(now_ms) is None:
        facts.append(Fact("replay.expired", {}))
    return Moved(after, tuple(facts))


def _left(event: LiveEvent, now_ms: int) -> int | None:
    """When the encoder left last, where one that is there is cut now."""
    return event.encoder_left_ms if event.encoder_ms is None else now_ms


def _session(event: LiveEvent, now_ms: int, fresh_id: FreshId) -> Session:
    recording = Recording(fresh_id(), RecordingState.RECORDING) if event.record_enabled else None
    return Session(fresh_id(), now_ms, event.encoder_ms, None, recording)


def _facts_of_start(session: Session) -> list[Fact]:
    facts = [Fact("session.started", {"session_id": session.id})]
    if session.recording is not None:
        facts.append(Fact("recording.started", {"recording_id": session.recording.id}))
    return facts


def _taken_over(event: LiveEvent, now_ms: int, fresh_id: FreshId) -> tuple[tuple[Session, ...], tuple[Fact, ...]]:
    """The sessions when an encoder connects to a live event: the first one's is open already, others get their own."""
    current = event.session
    if current is not None and current.encoder_ms is None:
        return (*event.sessions[:-1], replace(current, encoder_ms=now_ms)), ()
    if len(event.sessions) >= MOST_SESSIONS:
        raise Conflict(f"The event had {MOST_SESSIONS} sessions")
    sessions, facts = _closed(event, event.encoder_left_ms or now_ms)
    fresh = _session(replace(event, encoder_ms=now_ms), now_ms, fresh_id)
    return (*sessions, fresh), (*facts, *_facts_of_start(fresh))


def _closed(event: LiveEvent, ended_ms: int) -> tuple[tuple[Session, ...], tuple[Fact, ...]]:
    current = event.session
    if current is None:
        return event.sessions, ()
    recording = current.recording
    if recording is not None and recording.state is RecordingState.RECORDING:
        recording = replace(recording, state=RecordingState.PROCESSING)
    ended = replace(current, ended_ms=max(ended_ms, current.started_ms), recording=recording)
    told = {"session_id": ended.id, "duration_seconds": ended.duration_s(ended_ms)}
    return (*event.sessions[:-1], ended), (Fact("session.ended", told),)


def _with(sessions: tuple[Session, ...], recording: Recording) -> tuple[Session, ...]:
    return tuple(
        replace(each, recording=recording) if each.recording and each.recording.id == recording.id else each
        for each in sessions
    )
