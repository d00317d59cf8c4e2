"""The feed of a calendar, for who has its address, and a new address for it (contract section 11.1)."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from broker.channels import DAY_MS
from broker.errors import NotFound
from handlers.broker import broker_of
from handlers.caching import is_known, strong_etag
from handlers.calendar import making
from handlers.calendar.calendars import parse_calendar
from handlers.calendar.documents import calendar_key, event_index
from handlers.calendar.feed import build_feed
from handlers.calendar.feed_token import Feeds, parse_token
from handlers.calendar.serving import caller_of, execute_on, path_id, read_all
from handlers.site_url import site_url

MEDIA_TYPE = "text/calendar; charset=utf-8"
KEEP_S = 300
PAST_DAYS = 366
MOST_EVENTS = 10_000
_GONE = "No such feed"


def feeds_of(request: Request) -> Feeds:
    """What makes and checks the addresses of feeds."""
    return Feeds(broker_of(request).signing_key.private_key.private_bytes_raw(), site_url(request))


async def read_feed(request: Request) -> Response:
    """The feed, or 304 for who has it already; raises `NotFound` for any token that is not the calendar's."""
    named = parse_token(request.path_params["token"])
    if named is None:
        raise NotFound(_GONE)
    broker, key = broker_of(request), calendar_key(named.tenant, named.calendar_id)
    document = (await broker.reader.read(broker.engine.partition(named.tenant), [key])).loaded.documents[key]
    calendar = parse_calendar(document.body) if document else None
    if calendar is None or not feeds_of(request).is_of(named, calendar):
        raise NotFound(_GONE)
    # The events from a year ago on, the first `MOST_EVENTS` of them.
    from_ms = await broker.engine.now_ms(broker.engine.partition(named.tenant)) - PAST_DAYS * DAY_MS
    index = event_index(named.tenant, named.calendar_id)
    events = (await read_all(broker, named.tenant, index, most=MOST_EVENTS, lowest=str(max(0, from_ms)))).events
    body = await asyncio.to_thread(build_feed, calendar, events)
    headers = {"ETag": strong_etag(body), "Cache-Control": f"private, max-age={KEEP_S}"}
    if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=MEDIA_TYPE)


async def rotate_feed(request: Request) -> Response:
    """A new address for the feed; the earlier ones are 404 from now on."""
    caller, calendar_id = caller_of(request), path_id(request, "calendar_id", "Calendar")
    place = caller.place(calendar_id)
    decide = partial(making.rotating_feed, place, feeds_of(request))
    return await execute_on(request, caller, None, place.keys, decide, calendar_id)
