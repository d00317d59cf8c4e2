"""Channel events: from a publish body to the stored tail, and from the stored tail to the wire form.

An event's JSON is encoded once, at publish, without `id` and `created_at` (both follow from its position); readers
put those in front. Socket text, SSE data, poll item and single GET are the same bytes (design section 3). Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from broker.errors import Invalid, TooLarge
from broker.ids import (
    Cursor,
    Position,
    parse_time,
    parse_ulid,
    render_tag,
    render_time,
    render_ulid,
    ulid_beginning,
    ulid_ending,
)
from broker.strictjson import parse_json, render_json

NO_DATA = "Event must include a data field"


@dataclass(frozen=True, slots=True)
class EventLimits:
    """Bounds on what one publish may hold; the defaults are those of reliability.md F."""

    data_bytes: int = 65_536
    batch_events: int = 100
    type_chars: int = 256
    meta_bytes: int = 16_384
    json_depth: int = 100
    json_keys: int = 10_000


class Draft(NamedTuple):
    """One event as its publisher sent it, checked: `data_json` is the compact JSON of `data`."""

    type: str | None
    data: Any
    data_json: bytes
    meta: str | None
    reply_to: Cursor | None


class Publish(NamedTuple):
    """A parsed publish body; `batch` says whether the answer is wrapped in `events`.

    `publish_at_ms` is when it is to be published, None for at once.
    """

    drafts: tuple[Draft, ...]
    batch: bool
    publish_at_ms: int | None = None


class Stored(NamedTuple):
    """An event as the log keeps it: JSON of its type (None without), publisher, what it replies to, and JSON tail."""

    type_json: bytes | None
    publisher: str | None
    reply_to: Cursor | None
    tail: bytes


class Frame(NamedTuple):
    """An event ready for every door: its position, id, JSON of its type (None without) and wire form."""

    position: Position
    id: str
    type_json: bytes | None
    wire: bytes


def parse_publish(body: bytes, limits: EventLimits) -> Publish:
    """Read a publish body, single or batch (contract section 3); raises `Invalid` or `TooLarge`."""
    try:
        value = parse_json(body, depth=limits.json_depth, keys=limits.json_keys)
    except Invalid as error:
        raise Invalid(NO_DATA, details=[{"path": "", "message": error.message}]) from None
    if not isinstance(value, dict):
        raise Invalid(NO_DATA, details=[{"path": "", "message": "the body must be a JSON object"}])
    return publish_of(value, limits)


def publish_of(value: Mapping[str, Any], limits: EventLimits) -> Publish:
    """The publish that an object says, recognised as a batch by its list `events`; raises `Invalid` or `TooLarge`."""
    events, publish_at_ms = value.get("events"), _publish_at(value)
    if not isinstance(events, list):
        return Publish((parse_draft(value, limits),), False, publish_at_ms)
    if len(events) > limits.batch_events:
        raise Invalid(f"A batch holds at most {limits.batch_events} events")
    if any(isinstance(event, dict) and "publish_at" in event for event in events):
        raise Invalid("publish_at stands beside events: a batch is published as one")
    return Publish(tuple(parse_draft(event, limits) for event in events), True, publish_at_ms)


def parse_draft(value: Any, limits: EventLimits) -> Draft:
    """Read one event of a publish body; raises `Invalid` or `TooLarge`. Unknown keys are dropped (contract 1)."""
    if not isinstance(value, dict) or "data" not in value:
        raise Invalid(NO_DATA)
    data = value["data"]
    data_json = render_json(data)
    if len(data_json) > limits.data_bytes:
        raise TooLarge(f"Event data is over {limits.data_bytes} bytes")
    kind, meta, reply_to = value.get("type"), value.get("meta"), value.get("reply_to")
    return Draft(
        None if kind is None else _type(kind, limits),
        data,
        data_json,
        None if meta is None else _meta(meta, limits),
        None if reply_to is None else _reply_to(reply_to),
    )


def store(draft: Draft, channel_id: str, publisher: str | None, publisher_name: str | None) -> Stored:
    """The form that the log keeps; the tail is everything of the wire form after `created_at`."""
    around = _around(channel_id, draft.type, publisher, publisher_name)
    cursor, rest = draft.reply_to, b"}"
    if cursor is not None:
        rest = b',"reply_to":"%b"}' % render_ulid(render_tag(cursor.tag), cursor.position).encode()
    if draft.meta is not None:
        rest = b',"meta":%b%b' % (render_json(draft.meta), rest)
    return Stored(around.type_json, publisher, cursor, around.before + draft.data_json + around.after + rest)


class _Around(NamedTuple):
    """What stands before and after the data of an event."""

    type_json: bytes | None
    before: bytes
    after: bytes


@lru_cache(maxsize=1_024)
def _around(channel_id: str, kind: str | None, publisher: str | None, publisher_name: str | None) -> _Around:
    type_json = None if kind is None else render_json(kind)
    before = b'"channel_id":"%b","type":%b,"data":' % (channel_id.encode(), type_json or b"null")
    after = b',"publisher_id":%b' % render_json(publisher)
    if publisher_name is not None:
        after += b',"publisher_name":%b' % render_json(publisher_name)
    return _Around(type_json, before, after)


def frame(tag_letters: str, position: Position, type_json: bytes | None, tail: bytes) -> Frame:
    """The ready frame of a stored event: id and created_at put in front of its tail."""
    ulid = render_ulid(tag_letters, position)
    wire = b'{"id":"%b","created_at":"%b",%b' % (ulid.encode(), _created_at(position.ms), tail)
    return Frame(position, ulid, type_json, wire)


def frames_at(tag_letters: str, events: Iterable[tuple[Position, bytes | None, bytes]]) -> list[Frame]:
    """The frames of events: position, JSON of the type, tail.

    As `frame`, but what events of one millisecond share is made once: half the time for a batch of 100
    (bench/results.md).
    """
    found, beginning, created_at, known = [], "", b"", -1
    for position, type_json, tail in events:
        if position.ms != known:
            known = position.ms
            beginning, created_at = ulid_beginning(tag_letters, known), _created_at(known)
        ulid = beginning + ulid_ending(position.seq)
        wire = b'{"id":"%b","created_at":"%b",%b' % (ulid.encode(), created_at, tail)
        found.append(Frame(position, ulid, type_json, wire))
    return found


def frames_of(tag_letters: str, entries: Iterable[tuple[bytes, bytes, bytes]]) -> list[Frame]:
    """As `frames_at`, of a log's entries: stream id, JSON of the type or nothing, tail. Trusts its input.

    Not `frames_at` over parsed ids: a page's ids mostly share their millisecond, read once here (0.67 us an event where
    that takes 0.86, one process).
    """
    found, beginning, created_at, known, ms = [], "", b"", b"", 0
    for place, type_json, tail in entries:
        ms_text, _, seq_text = place.partition(b"-")
        if ms_text != known:
            known, ms = ms_text, int(ms_text)
            beginning, created_at = ulid_beginning(tag_letters, ms), _created_at(ms)
        seq = int(seq_text)
        ulid = beginning + ulid_ending(seq)
        wire = b'{"id":"%b","created_at":"%b",%b' % (ulid.encode(), created_at, tail)
        found.append(Frame(Position(ms, seq), ulid, type_json or None, wire))
    return found


@lru_cache(maxsize=256)
def _created_at(ms: int) -> bytes:
    return render_time(ms).encode()


def _type(kind: Any, limits: EventLimits) -> str:
    if not isinstance(kind, str):
        raise Invalid("type must be a string")
    if len(kind) > limits.type_chars:
        raise Invalid(f"type is over {limits.type_chars} characters")
    return kind


def _meta(meta: Any, limits: EventLimits) -> str:
    if isinstance(meta, dict):
        meta = render_json(meta).decode()
    if not isinstance(meta, str):
        raise Invalid("meta must be a string or an object")
    if len(meta.encode()) > limits.meta_bytes:
        raise TooLarge(f"meta is over {limits.meta_bytes} bytes")
    return meta


def _publish_at(value: Mapping[str, Any]) -> int | None:
    text = value.get("publish_at")
    if text is None:
        return None
    try:
        return parse_time(text if isinstance(text, str) else "")
    except Invalid:
        raise Invalid("publish_at must be a time in ISO 8601, such as 2026-12-24T18:00:00Z") from None


def _reply_to(text: Any) -> Cursor:
    try:
        return parse_ulid(text if isinstance(text, str) else "")
    except Invalid:
        raise Invalid("reply_to must be the id of an event of this channel") from None
