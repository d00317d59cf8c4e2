"""`GET /channels`: the list of channels, newest first, paged, each caller's own (contract sections 4 and 16)."""

from starlette.requests import Request
from starlette.responses import Response

from broker.listing import parse_list_cursor, render_listed
from broker.scopes import Reach
from handlers.auth import optional_grant
from handlers.broker import broker_of
from handlers.requests import query_number, query_text
from handlers.responses import json_answer


async def list_channels(request: Request) -> Response:
    """Public channels, and private ones that the token may publish to or read; an admin sees all.

    One page looks at a bounded number of channels: it may be short or empty where the token reaches few of them.
    Go on from `cursor` until `has_more` is false.
    """
    broker = broker_of(request)
    most = broker.limits.page_channels
    limit = query_number(request, "limit", default=most, lowest=1, highest=most)
    cursor = query_text(request, "cursor")
    below = None if cursor is None else parse_list_cursor(cursor)
    grant = optional_grant(broker, request.headers.get("authorization"), query_text(request, "token"))
    page = await broker.channel_list.page(grant.reach if grant else Reach(), limit=limit, below=below)
    shown = [render_listed(listed.record, listed.meta) for listed in page.listed]
    return json_answer({"channels": shown, "cursor": page.cursor, "has_more": page.cursor is not None})
