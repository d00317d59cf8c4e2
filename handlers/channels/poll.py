"""`GET /channels/{c}/events`: a page after a cursor, cacheable at the edge, or held until there is one (contract 8)."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from broker.channels import ChannelRecord
from broker.closing import Closed
from broker.cursors import LogMeta, Start, resume_from
from broker.errors import Invalid
from broker.pages import is_incomplete
from handlers.auth import require_read_of_version
from handlers.broker import Broker, broker_of
from handlers.caching import has_credential, public_answer
from handlers.channels.door import subscribed
from handlers.channels.reading import Read, page_body, parse_query, read_page, spelled_query
from handlers.ready_pages import Asked
from handlers.requests import header_of, query_number, query_text
from handlers.responses import json_bytes


async def poll(request: Request) -> ASGIApp:
    """A page of events; with `wait` an empty one is held until there is an event or the time is over.

    A page of a public channel may be kept by shared caches for the poll interval, under one spelling of its URL: the
    parameters that matter, sorted by name (`cursor`, `limit`, `on_gap`, `since`, `type`), types sorted. Another
    spelling is answered with `no-store`, and Content-Location names the one to use.
    """
    broker = broker_of(request)
    asked = _asked(request.scope)
    ready = broker.ready_pages.get(asked) if asked else None
    if ready is not None and await broker.glances.look(ready.channel) == ready.meta:
        return ready.answer(header_of(request.scope, b"if-none-match") or "")
    return await _made(request, asked)


async def _made(request: Request, asked: Asked | None) -> Response:
    """The answer, made anew, and kept where it may be."""
    broker = broker_of(request)
    channel_id = request.path_params["channel_id"]
    meta = await _meta(broker, (await require_read_of_version(request, channel_id)).channel) if asked else None
    wait_s = query_number(request, "wait", default=0, lowest=0, highest=broker.limits.wait_s)
    gap_is_error = parse_on_gap(request)
    read = await read_page(request, channel_id, lambda channel: parse_query(request, channel))
    if wait_s and not read.page.frames and not is_incomplete(read.query, read.page):
        read = await _held(request, read, wait_s)
    body = await page_body(broker, read, gap_is_error=gap_is_error)
    channel = read.access.channel
    if wait_s or not channel.is_public:
        return json_bytes(body)
    answer = public_answer(
        request,
        body,
        channel_id=channel.id,
        keep_s=broker.site.poll_interval_s,
        parameters=spelled_query(request, gap_is_error=gap_is_error),
    )
    if asked and meta and meta.record_version == channel.version and answer.status_code == 200:
        broker.ready_pages.put(asked, channel, meta, answer)
    return answer


def _asked(scope: Scope) -> Asked | None:
    """What the answer to this request is kept for, None where it is nobody else's or has to be decided anew."""
    query: bytes = scope["query_string"]
    if b"wait" in query or has_credential(scope):
        return None
    return scope["raw_path"], query


async def _meta(broker: Broker, channel: ChannelRecord) -> LogMeta | None:
    """What a public log says of itself before a page of it is read."""
    return await broker.glances.look(channel) if channel.is_public else None


def parse_on_gap(request: Request) -> bool:
    """True when the caller wants an error for a gap; raises `Invalid` for anything but `error` and `page`."""
    text = query_text(request, "on_gap")
    if text not in (None, "error", "page"):
        raise Invalid("on_gap must be error or page")
    return text == "error"


async def _held(request: Request, read: Read, wait_s: int) -> Read:
    """The page again, once something may be in it: the subscription tells when, the log tells what."""
    broker, channel = broker_of(request), read.access.channel
    start = read.page.meta.top if read.query.start is None else resume_from(read.query.start, read.page.meta)
    async with subscribed(
        broker, read.access, Start(start, own=True), read.query.types, is_present=False
    ) as subscription:
        subscription.is_brief = True
        until = time.monotonic() + wait_s
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    step = await subscription.next()
            except (TimeoutError, Closed):
                break
            if step.frames:
                break
    return await read_page(request, channel.id, lambda record: parse_query(request, record))
