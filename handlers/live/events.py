"""What live events tell: typed events for the tenant, and what viewers may know for everybody (contract 8). Pure.

Both are told in the commit that changes the event. A change that viewers see is whatever makes what they were told last
another thing; also where time alone did it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from broker.change import Emitted, emit
from broker.channels import NewChannel
from broker.ids import render_time
from handlers.live.channel_ids import team_channel_id, watch_channel_id
from handlers.live.live_event import LiveEvent, Visibility
from handlers.live.machine import Status
from handlers.live.moves import Fact
from handlers.live.shown import Shown, Time
from handlers.live.watch import PlaybackMode, WatchState, watch_of
from handlers.live.wire import auth_of, render_event, schedule_of
from handlers.model_schemas import schema_of

PUBLISHER = "system-live"
SCHEMA = 1
CHANGED = "live.watch.changed"
Cause = Literal["api", "ingest", "timer"]

TYPES = {
    "live.event.created": "An event was made; `event` is the event",
    "live.event.updated": "An event was changed: `changed` names the members, `event` is the event",
    "live.event.deleted": "An event was deleted; `event` is the event as it was",
    "live.event.scheduled": "Its start was put off: it is not ready any more",
    "live.event.readied": "It is ready: its start is near, or it has none",
    "live.event.rehearsed": "A rehearsal began",
    "live.event.started": "It went live, in the session `session_id`",
    "live.event.stopped": "It was stopped; `from` is the status in which it was",
    "live.event.processed": "Its `recordings` are waited for",
    "live.event.ended": "It is at its end; `reason` is null",
    "live.event.cancelled": "It will not come; `reason` says why",
    "live.event.purged": "What was kept of a deleted event is gone",
    "live.session.started": "A stretch of streaming began, `session_id`",
    "live.session.ended": "A stretch of streaming, `session_id`, ended after `duration_seconds`",
    "live.recording.started": "The recording `recording_id` began",
    "live.recording.finalised": "The recording `recording_id` is whole",
    "live.recording.failed": "The recording `recording_id` failed, or did not become whole in time",
    "live.recording.expired": "The recording `recording_id` is older than it is kept",
    "live.replay.published": "There is a replay, of the recording `recording_id`",
    "live.replay.expired": "There is no replay any more",
    "live.ingest.connected": "An encoder came, with a key that begins with `stream_key`",
    "live.ingest.disconnected": "The encoder, with a key that begins with `stream_key`, went",
    "live.stream_key.rotated": "It has a new key, which begins with `stream_key`",
    "live.token.created": "A watch token was made: `token_id`, `prefix`, `max_uses`",
    "live.token.exhausted": "A watch token (`token_id`, `prefix`, `max_uses`) was used `use_count` times: no more",
    "live.grant.consumed": "A viewer began to watch: `grant`, a digest; `token_id` and `use_count` of a token, or null",
    "live.access.denied": "Verifications failed: `count` of the `kind` in about a minute",
}
"""What is told of in the tenant's channel, with what it means and the members that are its own."""
WHOLE = frozenset({"event.created", "event.updated", "event.deleted"})
"""What tells the event as it is."""


class Told(Shown):
    """`data` of each event of the tenant's channel; further members are each type's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    schema_number: Annotated[Literal[1], Field(alias="schema")]
    subject: Annotated[str, Field(description="The id of the event.")]
    version: Annotated[int, Field(ge=1)]
    occurred_at: Time
    status: Status
    previous_status: Status | None
    cause: Cause


class WatchTold(Shown):
    """`data` of `live.watch.changed`: safe for everybody; no playback URLs."""

    schema_number: Annotated[Literal[1], Field(alias="schema")]
    subject: str
    version: Annotated[int, Field(ge=1)]
    occurred_at: Time
    status: Status
    previous_status: Status | None
    cause: Cause
    event_id: str
    slug: str
    name: str
    watch_state: WatchState
    granted_watch_state: WatchState
    playback_mode: PlaybackMode
    visibility_mode: Visibility
    requires_auth: bool
    auth_type: str | None
    scheduled_start_at: Time | None
    scheduled_end_at: Time | None
    embed_enabled: bool


def team_channel(tenant: str) -> NewChannel:
    """The channel of all that happens to a tenant's events: private."""
    types = {name: {"schema": schema_of(Told)} for name in TYPES}
    return NewChannel(team_channel_id(tenant), f"Live events of {tenant}", config={"types": types})


def watch_channel(slug: str) -> NewChannel:
    """The channel of what viewers see of an event: public."""
    types = {CHANGED: {"schema": schema_of(WatchTold)}}
    return NewChannel(watch_channel_id(slug), f"Watch {slug}", is_public=True, config={"types": types})


def told(before: LiveEvent | None, after: LiveEvent, facts: Sequence[Fact], cause: Cause) -> tuple[Emitted, ...]:
    """The channel events of a change: each fact for the tenant, and for viewers what is new for them."""
    head = _head(before, after, cause)
    emitted = [
        emit(
            team_channel_id(after.tenant),
            f"live.{fact.kind}",
            {**head, **fact.members, **({"event": render_event(after)} if fact.kind in WHOLE else {})},
            PUBLISHER,
        )
        for fact in facts
    ]
    seen = viewed(after)
    if seen is not None and _apart_from_status(seen) != _apart_from_status(None if before is None else viewed(before)):
        emitted.append(emit(watch_channel_id(after.slug), CHANGED, {**head, **seen}, PUBLISHER))
    return tuple(emitted)


def viewed(event: LiveEvent) -> dict[str, Any] | None:
    """What viewers know of an event since its last change; None where there is nothing for them."""
    anonymous = watch_of(event, event.updated_ms, has_access=False)
    granted = watch_of(event, event.updated_ms, has_access=True)
    if anonymous is None or granted is None:
        return None
    return {
        "event_id": event.id,
        "slug": event.slug,
        "name": event.name,
        "watch_state": anonymous.state,
        "granted_watch_state": granted.state,
        "playback_mode": anonymous.playback,
        "visibility_mode": event.visibility,
        **auth_of(event),
        **schedule_of(event),
        "embed_enabled": event.embed_enabled,
        "status": event.status,
    }


def _apart_from_status(seen: dict[str, Any] | None) -> dict[str, Any] | None:
    """What makes a change one for viewers: a status that looks alike is none (contract section 8)."""
    return None if seen is None else {name: value for name, value in seen.items() if name != "status"}


def _head(before: LiveEvent | None, after: LiveEvent, cause: Cause) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "subject": after.id,
        "version": after.version,
        "occurred_at": render_time(after.updated_ms),
        "status": after.status,
        "previous_status": before and before.status,
        "cause": cause,
    }
