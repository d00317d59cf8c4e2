"""How live events are kept: their documents, their indexes, and when they end (contract sections 2 and 5). Pure.

An event lives until it is purged, 30 days after it was deleted, and its watch tokens with it. A grant that was consumed
is kept for a day, so that the retry of a call that succeeded is answered like it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from broker.change import DocumentKey, Entry, Put
from broker.channels import DAY_MS
from broker.strictjson import parse_stored as parse_json
from broker.strictjson import render_json
from broker.timers import Timer, TimerName
from handlers.live.credentials import digest_of
from handlers.live.live_event import (
    LiveEvent,
    Recording,
    RecordingState,
    Session,
    StreamKey,
    Visibility,
)
from handlers.live.machine import Status
from handlers.live.moves import Pace, next_due_ms

EVENT, STREAM_KEY, TOKEN, GRANT = "live-event", "live-stream-key", "live-token", "live-grant"
TIMER_KIND = "live-event"
HOUR_MS = 3_600_000
MOST_TOKENS = 400
"""Of one event: so that purging it is one step."""


@dataclass(frozen=True, slots=True)
class WatchToken:
    """A watch token as it is kept; `max_uses` None is without limit."""

    id: str
    event_id: str
    digest: str
    prefix: str
    label: str | None
    max_uses: int | None
    expires_ms: int | None
    created_ms: int
    use_count: int = 0

    def is_usable(self, now_ms: int) -> bool:
        """Whether it lets somebody watch; at its end it no longer does."""
        is_there = self.expires_ms is None or now_ms < self.expires_ms
        return is_there and (self.max_uses is None or self.use_count < self.max_uses)


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """An access grant as it is kept; `token_digest` None is of a password."""

    event_id: str
    digest: str
    epoch: int
    token_digest: str | None
    expires_ms: int
    consumed_ms: int | None = None


def event_key(tenant: str, event_id: str) -> DocumentKey:
    """The document of a tenant's event: another tenant's is unknown here."""
    return DocumentKey(EVENT, f"{tenant}/{event_id}")


def stream_key_key(digest: str) -> DocumentKey:
    """The document by which an event is found: by the digest of its stream key, or of the public name of its stream."""
    return DocumentKey(STREAM_KEY, digest)


def token_key(event_id: str, digest: str) -> DocumentKey:
    """The document of an event's watch token."""
    return DocumentKey(TOKEN, f"{event_id}/{digest}")


def grant_key(event_id: str, digest: str) -> DocumentKey:
    """The document of an access grant for an event."""
    return DocumentKey(GRANT, f"{event_id}/{digest}")


def events_index(tenant: str) -> str:
    """The index of a tenant's events that are not deleted, by when they were created."""
    return f"live-events/{tenant}"


def tokens_index(event_id: str) -> str:
    """The index of an event's watch tokens, by when they were created."""
    return f"live-tokens/{event_id}"


def timer_name(tenant: str, event_id: str) -> TimerName:
    """The timer of an event: there is one, for whatever comes next."""
    return TimerName(TIMER_KIND, tenant, event_id)


def timer_of(event: LiveEvent, pace: Pace) -> Timer | TimerName:
    """That timer as it is to be armed or disarmed."""
    name, due_ms = timer_name(event.tenant, event.id), next_due_ms(event, pace)
    return name if due_ms is None else Timer(name, due_ms)


def put_event(event: LiveEvent, expected: int) -> Put:
    """The document of an event, in place of the version `expected`; a deleted one is in no list."""
    key = event_key(event.tenant, event.id)
    entries = () if event.deleted_ms is not None else (Entry(events_index(event.tenant), event.created_ms, key.id),)
    return Put(key, expected, render_json(asdict(event)), entries)


def stream_keys_of(event: LiveEvent) -> tuple[DocumentKey, DocumentKey]:
    """The documents that lead media servers to an event: by its key, and by the name under which it is streamed."""
    return stream_key_key(event.key.digest), stream_key_key(digest_of(event.key.stream))


def put_stream_keys(event: LiveEvent) -> tuple[Put, ...]:
    """Those documents."""
    body = render_json({"tenant": event.tenant, "event_id": event.id})
    return tuple(Put(key, 0, body) for key in stream_keys_of(event))


def put_token(token: WatchToken, expected: int) -> Put:
    """The document of a watch token."""
    key = token_key(token.event_id, token.digest)
    return Put(
        key, expected, render_json(asdict(token)), (Entry(tokens_index(token.event_id), token.created_ms, key.id),)
    )


def put_grant(grant: AccessGrant, expected: int) -> Put:
    """The document of a grant, with its end."""
    ends_ms = grant.expires_ms + HOUR_MS if grant.consumed_ms is None else grant.consumed_ms + DAY_MS
    return Put(grant_key(grant.event_id, grant.digest), expected, render_json(asdict(grant)), (), ends_ms)


def parse_event(body: bytes) -> LiveEvent:
    """The event of a kept document; trusts its input."""
    own: dict[str, Any] = parse_json(body)
    own["key"] = StreamKey(**own["key"])
    own["visibility"], own["status"] = Visibility(own["visibility"]), Status(own["status"])
    own["sessions"] = tuple(map(_session, own["sessions"]))
    return LiveEvent(**own)


def parse_token(body: bytes) -> WatchToken:
    """The token of a kept document; trusts its input."""
    return WatchToken(**parse_json(body))


def parse_grant(body: bytes) -> AccessGrant:
    """The grant of a kept document; trusts its input."""
    return AccessGrant(**parse_json(body))


def _session(own: dict[str, Any]) -> Session:
    recording = own["recording"]
    if recording is not None:
        recording = Recording(**{**recording, "state": RecordingState(recording["state"])})
    return Session(**{**own, "recording": recording})
