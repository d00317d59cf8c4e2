"""The calls of the channels API that have a form of their own: publishing and pages. Pure."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from tidemark_client.answers import KEY_HEADER, Call
from tidemark_client.errors import Gap, Invalid
from tidemark_client.event import Page
from tidemark_client.ids import cursor_before

PAGE_EVENTS = 100
BATCH_EVENTS = 100


class RawJson(bytes):
    """A JSON text that goes to the server as it is, so that no number is rounded on the way."""


@dataclass(frozen=True)
class Draft:
    """An event to be published: any JSON as `data`, or a `RawJson`."""

    data: Any
    type: str | None = None
    meta: Any = None
    reply_to: str | None = None


def events_path(channel_id: str) -> tuple[str, ...]:
    """The path of a channel's events."""
    return ("channels", channel_id, "events")


def publish_one(channel_id: str, draft: Draft, key: str) -> Call:
    """Publish one event; answered by it."""
    return Call("POST", events_path(channel_id), {}, render_draft(draft), {KEY_HEADER: key})


def publish_batch(channel_id: str, drafts: Sequence[Draft], key: str) -> Call:
    """Publish up to `BATCH_EVENTS` events, all or none; answered by `events`. Raises `Invalid`."""
    if len(drafts) > BATCH_EVENTS:
        raise Invalid(f"a batch has at most {BATCH_EVENTS} events")
    body = b'{"events":[%b]}' % b",".join(map(render_draft, drafts))
    return Call("POST", events_path(channel_id), {}, body, {KEY_HEADER: key})


def page_call(
    channel_id: str,
    *,
    cursor: str | None = None,
    since: str | None = None,
    types: Collection[str] | None = None,
    limit: int | None = PAGE_EVENTS,
    wait_s: float = 0.0,
    etag: str | None = None,
) -> Call:
    """A page, in the one spelling under which a shared cache keeps it: by name, types sorted, nothing empty."""
    wanted = {
        "cursor": cursor,
        "limit": None if limit is None else str(limit),
        "since": since,
        "type": spell_types(types),
        "wait": f"{wait_s:.0f}" if wait_s else None,
    }
    query = {name: value for name, value in wanted.items() if value}
    return Call("GET", events_path(channel_id), query, None, {"If-None-Match": etag} if etag else {}, wait_s)


def spell_types(types: Collection[str] | None) -> str | None:
    """Types as a query has them: sorted, each once; None for no filter. Raises `Invalid`."""
    if types is None:
        return None
    if isinstance(types, str) or any("," in name or not name.strip() for name in types):
        raise Invalid("types is a list of names without commas")
    return ",".join(sorted({name.strip() for name in types})) or None


def render_draft(draft: Draft) -> bytes:
    """The JSON of an event to be published; raises `Invalid` for what has none."""
    data = draft.data if isinstance(draft.data, RawJson) else render_json(draft.data)
    others = {"type": draft.type, "meta": draft.meta, "reply_to": draft.reply_to}
    given = {name: value for name, value in others.items() if value is not None}
    return b'{"data":%b%b}' % (
        data,
        b"".join(b",%b:%b" % (render_json(name), render_json(value)) for name, value in given.items()),
    )


def render_json(value: Any) -> bytes:
    """A value as JSON; raises `Invalid` for what has none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError) as error:
        raise Invalid(f"no JSON: {error}") from None


def gap_of(asked: str, page: Page) -> Gap | None:
    """The gap before a page that was asked for after `asked`, None where it is complete."""
    if page.is_complete:
        return None
    return Gap(asked, page.cursor if page.oldest is None else cursor_before(page.oldest))
