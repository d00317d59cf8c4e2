"""`GET /channels/{c}/history`: the log read backwards, a page at a time: a cursor that moves towards the beginning.

A poll goes forward, and so cannot answer what came before an event. The two meet: `cursor` of a page of either is a
position of the same log. Nobody needs such a page of an edge, so caches keep none of it.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.channels import ChannelRecord
from broker.ids import Position, render_ulid
from broker.pages import Page, Types, parse_start, parse_types
from broker.strictjson import render_json
from handlers.broker import broker_of
from handlers.channels.event_operations import CHANNEL, LIMIT, TOKEN, TYPE, TYPES
from handlers.channels.event_schemas import EVENT, ULID
from handlers.channels.reading import DEFAULT_LIMIT, read_of_now
from handlers.operations import Answer, Operation, Parameter
from handlers.requests import query_number, query_text
from handlers.responses import json_bytes


async def get_history(request: Request) -> Response:
    """The newest events before a cursor, or before the end of the log, in the order of the log.

    Go on from `cursor` while `has_more`. A page looks at a bounded number of events, so with a filter it may be short
    or empty and yet have more before it.
    """
    types = parse_types(query_text(request, "type", "types"))
    most = broker_of(request).limits.page_events
    limit = query_number(request, "limit", default=min(DEFAULT_LIMIT, most), lowest=1, highest=most)
    return json_bytes(await read_of_now(request, lambda channel: _page(request, channel, types, limit)))


async def _page(request: Request, channel: ChannelRecord, types: Types | None, limit: int) -> bytes:
    log, start = broker_of(request).log, parse_start(channel, query_text(request, "before"), None)
    if start is None:
        page = await log.newest(channel, limit=limit, types=types)
    else:
        page = await log.before(channel, start.position, limit=limit, types=types)
    events = b",".join([frame.wire for frame in page.frames])
    end = page.meta.top if start is None else min(start.position, page.meta.top)
    position = render_json(history_position(channel, page, end))
    return b'{"events":[%b],%b' % (events, position.removeprefix(b"{"))


def history_position(channel: ChannelRecord, page: Page, end: Position) -> dict[str, Any]:
    """Where a page before `end` goes on, whether anything is there, and whether the log still has its beginning."""
    # A full page knows of one more event that it has not looked at; its own first one is the place to go on from.
    start = page.meta.start
    first = max(end if page.scanned is None else min(end, page.scanned), start)
    return {
        "cursor": render_ulid(channel.tag_letters, first),
        "has_more": page.more,
        "complete": page.meta.trimmed <= start,
    }


HISTORY: dict[str, Any] = {
    "type": "object",
    "required": ["events", "cursor", "has_more", "complete"],
    "properties": {
        "events": {"type": "array", "items": EVENT},
        "cursor": {**ULID, "description": "Where to go on from, as `before`."},
        "has_more": {"type": "boolean", "description": "Earlier events may be there."},
        "complete": {"type": "boolean", "description": "false where the log no longer has its first events."},
    },
}
OPERATIONS = (
    Operation(
        "GET",
        CHANNEL + "/history",
        get_history,
        "Read the events before a cursor",
        "read",
        {200: Answer("A page", HISTORY)},
        refusals=(400, 503),
        parameters=(
            Parameter("before", "Only events before this one: an event's id, or the cursor of an earlier answer."),
            TYPES,
            TYPE,
            LIMIT,
            TOKEN,
        ),
        tag="events",
    ),
)
