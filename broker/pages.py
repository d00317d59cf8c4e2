"""Polls: what a query asks for, and the page that answers it (contract sections 8 and 16). Pure.

A page is joined from stored bytes. It always carries a cursor to go on from, and says when events are missing.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from broker.channels import ChannelRecord
from broker.cursors import LogMeta, Start, has_gap, latest, resume_from, start_at, start_since
from broker.errors import Invalid
from broker.events import Frame
from broker.ids import Position, parse_time, parse_ulid, render_ulid
from broker.strictjson import render_json

MAX_TYPES = 32

Types = frozenset[bytes]


class Page(NamedTuple):
    """Events in the order of the log, the last position looked at (None when nothing was), and the log's meta.

    `more` is True when further events may lie after `scanned`; `examined` is how many were looked at.
    """

    frames: list[Frame]
    scanned: Position | None
    more: bool
    examined: int
    meta: LogMeta


class Query(NamedTuple):
    """What a reader asks for: where to start (None: the newest events), which types, how many."""

    start: Start | None
    types: Types | None
    limit: int


def parse_start(channel: ChannelRecord, cursor: str | None, since: str | None) -> Start | None:
    """Where a read begins; both conditions apply. Raises `Invalid` for a malformed cursor or time."""
    starts = []
    if cursor is not None:
        try:
            starts.append(start_at(parse_ulid(cursor), channel.tag))
        except Invalid:
            raise Invalid("cursor must be the id of an event") from None
    if since is not None:
        try:
            starts.append(start_since(parse_time(since)))
        except Invalid:
            raise Invalid("since must be an ISO 8601 time") from None
    return latest(starts)


def parse_types(text: str | None) -> Types | None:
    """The types of a comma list, blanks trimmed, as JSON texts; an empty list means all. Raises `Invalid`."""
    return types_of({name.strip() for name in (text or "").split(",")} - {""})


def types_of(names: Collection[str]) -> Types | None:
    """These types as JSON texts; none means all. Raises `Invalid`."""
    if len(names) > MAX_TYPES:
        raise Invalid(f"At most {MAX_TYPES} types can be asked for")
    try:
        return frozenset(map(render_json, names)) or None
    except ValueError:
        raise Invalid("A type is not valid text") from None


def is_incomplete(query: Query, page: Page) -> bool:
    """True when events after the query's start are no longer kept."""
    return query.start is not None and has_gap(query.start, page.meta)


def render_page(channel: ChannelRecord, query: Query, page: Page, oldest: str | None) -> bytes:
    """The JSON of a page; `oldest` is the first id still kept, for an incomplete page only."""
    events = b",".join([frame.wire for frame in page.frames])
    position = render_json(page_position(channel, query, page, oldest))
    return b'{"events":[%b],%b' % (events, position.removeprefix(b"{"))


def page_position(channel: ChannelRecord, query: Query, page: Page, oldest: str | None) -> dict[str, Any]:
    """The members of a page beside its events: where to go on from, and whether something is missing."""
    incomplete = is_incomplete(query, page)
    position = {
        "cursor": _cursor(channel, query, page),
        "has_more": page.more and query.start is not None,
        "complete": not incomplete,
    }
    return {**position, "oldest": oldest} if incomplete else position


def _cursor(channel: ChannelRecord, query: Query, page: Page) -> str:
    if page.frames and query.types is None:
        return page.frames[-1].id
    return render_ulid(channel.tag_letters, _end(query, page))


def _end(query: Query, page: Page) -> Position:
    if query.start is None:
        return page.meta.top
    resumed = resume_from(query.start, page.meta)
    return resumed if page.scanned is None else max(resumed, page.scanned)
