"""Scheduled publishes: a publish that waits for its time (`publish_at`), and what became of it. Pure.

Kept is the body as it was sent and the grant that it came with: channel, schema and key are checked again when it
fires, so nothing is decided before.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from broker.change import Change, DocumentKey, Entry, Put
from broker.channels import DAY_MS, ChannelRecord
from broker.errors import Invalid
from broker.ids import MAX_SEQ, SEQ_BITS, Position, render_tag, render_time, render_ulid
from broker.scopes import Grant
from broker.timers import Timer, TimerName

KIND = "scheduled"
TIMER_KIND = "publish"
ID_BITS = 80
MOST_AHEAD_MS = 366 * DAY_MS
MOST_BEHIND_MS = 60_000
"""How far in the past a time may lie, by clocks that differ: it is published at once. Beyond that it is a mistake."""

SHOWN_AFTER_DAYS = 7
"""How long it is shown what became of it."""

Status = Literal["scheduled", "published", "failed"]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A publish that waits, or has waited; `error` says why it failed. `body` is JSON as it was sent."""

    id: str
    channel_id: str
    tag_letters: str
    publish_at_ms: int
    created_ms: int
    body: str
    event_count: int
    grant: Grant
    status: Status = "scheduled"
    error: str | None = None

    @property
    def subject(self) -> str:
        """As `subject_of`."""
        return f"{self.tag_letters}/{self.id}"


def check_time(publish_at_ms: int, now_ms: int) -> None:
    """Raises `Invalid` for a time that has long passed, or is too far away."""
    if not now_ms - MOST_BEHIND_MS <= publish_at_ms <= now_ms + MOST_AHEAD_MS:
        raise Invalid("publish_at must lie ahead, by at most a year")


def fresh_id(now_ms: int, random_bits: int) -> str:
    """An id of `ID_BITS` random bits: `sp_` and a ULID."""
    return "sp_" + render_ulid(render_tag(random_bits >> SEQ_BITS), Position(now_ms, random_bits & MAX_SEQ))


def subject_of(channel: ChannelRecord, scheduled_id: str) -> str:
    """What its timer and its document are named by: of a channel that was made again, none is an old one's."""
    return f"{channel.tag_letters}/{scheduled_id}"


def key_of(subject: str) -> DocumentKey:
    """Its document."""
    return DocumentKey(KIND, subject)


def index_of(channel: ChannelRecord) -> str:
    """The index of those that wait on a channel, by their time."""
    return f"{KIND}/{channel.tag_letters}"


def timer_of(scheduled: Scheduled) -> Timer:
    """The timer that publishes it."""
    return Timer(TimerName(TIMER_KIND, scheduled.channel_id, scheduled.subject), scheduled.publish_at_ms)


def scheduling(scheduled: Scheduled) -> Change:
    """The Change that has it wait."""
    entry = Entry(f"{KIND}/{scheduled.tag_letters}", scheduled.publish_at_ms, scheduled.subject)
    # It cannot be forgotten for ever, whatever becomes of its timer.
    ends_ms = scheduled.publish_at_ms + 30 * DAY_MS
    put = Put(key_of(scheduled.subject), 0, render_stored(scheduled), (entry,), ends_ms)
    return Change((put,), timers=(timer_of(scheduled),))


def ended(scheduled: Scheduled, version: int, now_ms: int, error: str | None = None) -> Put:
    """The document of one that was published, or could not be; it is no longer listed, and shown for a week."""
    after = replace(scheduled, status="published" if error is None else "failed", error=error, body="")
    return Put(key_of(scheduled.subject), version, render_stored(after), (), now_ms + SHOWN_AFTER_DAYS * DAY_MS)


def render_stored(scheduled: Scheduled) -> bytes:
    """The document that is kept."""
    return orjson.dumps(scheduled)


def parse_stored(body: bytes) -> Scheduled:
    """What a kept document says; trusts its input."""
    fields: dict[str, Any] = orjson.loads(body)
    grant = fields.pop("grant")
    lists = {name: tuple(grant[name]) for name in ("scopes", "groups", "apis")}
    return Scheduled(**fields, grant=Grant(**{**grant, **lists}))


def render_scheduled(scheduled: Scheduled) -> dict[str, Any]:
    """A scheduled publish as its publisher sees it."""
    shown = {
        "id": scheduled.id,
        "channel_id": scheduled.channel_id,
        "publish_at": render_time(scheduled.publish_at_ms),
        "created_at": render_time(scheduled.created_ms),
        "publisher_id": scheduled.grant.subject,
        "event_count": scheduled.event_count,
        "status": scheduled.status,
    }
    return shown if scheduled.error is None else {**shown, "error": scheduled.error}
