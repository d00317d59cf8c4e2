"""`/channels/{c}/rss` and `/channels/{c}/feed.json`: the last events for feed readers (contract section 12).

A feed is a page of a poll, newest event first; `cursor`, `since` and `type` work as there. It is written item by item,
with a turn for everybody else between two: a thread instead would hold the interpreter against the fan-out.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from broker.events import Frame
from broker.pages import page_position
from broker.readable import Format, parse_format
from handlers.auth import require_read
from handlers.broker import broker_of
from handlers.caching import public_answer
from handlers.channels import json_feed, rss
from handlers.channels.feed import Entry, Feed, entry_of, feed_title
from handlers.channels.poll import parse_on_gap
from handlers.channels.reading import Read, oldest_kept, parse_query, read_page, spelled_query
from handlers.requests import query_text
from handlers.site_url import site_url

ENTRIES = 50


class Writing(NamedTuple):
    """How a format is written: what stands before, between and after the items."""

    media_type: str
    head: Callable[[Feed], bytes]
    item: Callable[[Entry], bytes]
    between: bytes
    tail: Callable[[], bytes]


RSS = Writing(rss.MEDIA_TYPE, rss.render_rss_head, rss.render_rss_item, b"", rss.render_rss_tail)
JSON_FEED = Writing(
    json_feed.MEDIA_TYPE, json_feed.render_json_head, json_feed.render_json_item, b",", json_feed.render_json_tail
)


async def get_rss(request: Request) -> Response:
    """The last events as RSS 2.0, newest first; the text of an item is its data, as HTML."""
    return await _feed(request, RSS)


async def get_json_feed(request: Request) -> Response:
    """The last events as JSON Feed 1.1, newest first; `_zooid` of the feed has the cursor to go on from."""
    return await _feed(request, JSON_FEED)


async def _feed(request: Request, writing: Writing) -> Response:
    broker, channel_id = broker_of(request), request.path_params["channel_id"]
    await require_read(request, channel_id)
    form = parse_format(query_text(request, "format"))
    gap_is_error = parse_on_gap(request)
    read = await read_page(request, channel_id, lambda channel: parse_query(request, channel, ENTRIES))
    oldest = await oldest_kept(broker, read, gap_is_error=gap_is_error)
    body = await _written(writing, _head(request, read, oldest), read.page.frames, form)
    if not read.access.channel.is_public:
        return Response(body, media_type=writing.media_type)
    return public_answer(
        request,
        body,
        channel_id=channel_id,
        keep_s=broker.site.poll_interval_s,
        parameters=_parameters(request, gap_is_error=gap_is_error),
        media_type=writing.media_type,
    )


def _head(request: Request, read: Read, oldest: str | None) -> Feed:
    channel, base = read.access.channel, site_url(request)
    asked = _parameters(request, gap_is_error=False)
    # What a reader subscribes to; a cursor would pin it to one page, and a token is nobody else's business.
    kept = urlencode([(name, asked[name]) for name in ("format", "type") if name in asked])
    return Feed(
        title=feed_title(channel),
        description=channel.description,
        home=f"{base}/api/v1/channels/{channel.id}",
        address=base + request.url.path + (f"?{kept}" if kept else ""),
        position=page_position(channel, read.query, read.page, oldest),
    )


def _parameters(request: Request, *, gap_is_error: bool) -> dict[str, str]:
    """The parameters that decide a feed, each in one spelling: those of a poll, and the form of the text."""
    form = {"format": "json"} if query_text(request, "format") == "json" else {}
    return {**spelled_query(request, gap_is_error=gap_is_error), **form}


async def _written(writing: Writing, feed: Feed, frames: list[Frame], form: Format) -> bytes:
    items = []
    for frame in reversed(frames):
        items.append(writing.item(entry_of(frame, form)))
        await asyncio.sleep(0)
    return writing.head(feed) + writing.between.join(items) + writing.tail()
