"""`GET /channels/{c}/events`: a page after a cursor, cacheable at the edge, or held until there is one (contract 8)."""

import asyncio
import hashlib
import time

from starlette.requests import Request
from starlette.responses import Response

from broker.cursors import Start, resume_from
from broker.errors import Invalid
from broker.pages import is_incomplete
from broker.subscription import Closed
from handlers.auth import require_read
from handlers.broker import Broker, broker_of
from handlers.channels.door import subscribed
from handlers.channels.reading import Read, page_body, parse_query, read_page
from handlers.requests import query_number, query_text
from handlers.responses import json_bytes


async def poll(request: Request) -> Response:
    """A page of events; with `wait` an empty one is held until there is an event or the time is over."""
    broker = broker_of(request)
    channel_id = request.path_params["channel_id"]
    await require_read(request, channel_id)
    wait_s = query_number(request, "wait", default=0, lowest=0, highest=broker.limits.wait_s)
    gap_is_error = parse_on_gap(request)
    read = await read_page(request, channel_id, lambda channel: parse_query(request, channel))
    if wait_s and not read.page.frames and not is_incomplete(read.query, read.page):
        read = await _held(request, read, wait_s)
    body = await page_body(broker, read, gap_is_error=gap_is_error)
    if wait_s or not read.access.channel.is_public or _has_credential(request):
        return json_bytes(body)
    return _cacheable(request, broker, read, body)


def parse_on_gap(request: Request) -> bool:
    """True when the caller wants an error for a gap; raises `Invalid` for anything but `error` and `page`."""
    text = query_text(request, "on_gap")
    if text not in (None, "error", "page"):
        raise Invalid("on_gap must be error or page")
    return text == "error"


def _has_credential(request: Request) -> bool:
    return "authorization" in request.headers or "token" in request.query_params


def _cacheable(request: Request, broker: Broker, read: Read, body: bytes) -> Response:
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {
        "Cache-Control": f"public, s-maxage={broker.site.poll_interval_s}",
        "ETag": etag,
        "Surrogate-Key": read.access.channel.id,
        "Cache-Tag": read.access.channel.id,
    }
    asked = request.headers.get("if-none-match", "")
    if asked.strip() == "*" or etag in (part.strip().removeprefix("W/") for part in asked.split(",")):
        return Response(status_code=304, headers=headers)
    return json_bytes(body, headers=headers)


async def _held(request: Request, read: Read, wait_s: int) -> Read:
    """The page again, once something may be in it: the subscription tells when, the log tells what."""
    broker, channel = broker_of(request), read.access.channel
    start = read.page.meta.top if read.query.start is None else resume_from(read.query.start, read.page.meta)
    async with subscribed(broker, read.access, Start(start, own=True), read.query.types) as subscription:
        subscription.is_brief = True
        until = time.monotonic() + wait_s
        while (left := until - time.monotonic()) > 0:
            try:
                step = await asyncio.wait_for(subscription.next(), left)
            except (TimeoutError, Closed):
                break
            if step.frames:
                break
    return await read_page(request, channel.id, lambda record: parse_query(request, record))
