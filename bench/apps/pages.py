"""What one writes first with redis-py: read a page of a stream, decode every event, encode the page."""

from typing import Any

import orjson
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.ids import parse_position, render_tag, render_time, render_ulid

STREAM = "pages"
FIELD = b"event"
PAGE_EVENTS = 100
LETTERS = render_tag(1)


def pages_app(engine_url: str) -> Starlette:
    """The app; a GET of `/?after=<stream id>` answers a page."""
    client = Redis.from_url(engine_url, protocol=3)

    async def page(request: Request) -> Response:
        after = request.query_params["after"]
        entries: Any = await client.xrange(STREAM, min=f"({after}", max="+", count=PAGE_EVENTS)
        events = [_event(stream_id, fields) for stream_id, fields in entries]
        body = orjson.dumps({"events": events, "cursor": events[-1]["id"], "has_more": True, "complete": True})
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/", page)])


def _event(stream_id: bytes, fields: dict[bytes, bytes]) -> dict[str, Any]:
    position = parse_position(stream_id)
    head = {"id": render_ulid(LETTERS, position), "created_at": render_time(position.ms)}
    return {**head, **orjson.loads(fields[FIELD])}
