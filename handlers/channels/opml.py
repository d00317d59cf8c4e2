"""`/opml`: the public channels as feeds to subscribe to (contract section 12), in documents of bounded size.

A document lists up to `CHANNELS` of the newest. Where there are more it ends with an `include` outline, which is how
OPML 2.0 goes on in another document: so one request is bounded work, and all documents together list every channel.
"""

import re
from typing import NamedTuple
from xml.sax.saxutils import XMLGenerator

from starlette.requests import Request
from starlette.responses import Response

from broker.channels import ChannelRecord, is_channel_id
from broker.errors import Invalid
from broker.scopes import is_reserved
from broker.storage.channels import Place
from broker.xmltext import one_line, render_xml, start_element, write_element
from handlers.broker import Broker, broker_of
from handlers.channels.feed import feed_title
from handlers.channels.feed_caching import public_answer
from handlers.requests import query_text
from handlers.site_url import site_url

MEDIA_TYPE = "text/x-opml"
PATH = "/api/v1/opml"
CHANNELS = 500
PURGED_AS = "opml"
_PLACE = re.compile(r"([0-9]{1,15})\.(.+)")


class Listing(NamedTuple):
    """Public channels, newest first, and the cursor of the document that goes on (None when there is none)."""

    channels: list[ChannelRecord]
    cursor: str | None


async def get_opml(request: Request) -> Response:
    """The public channels as an OPML 2.0 subscription list; the last outline includes the next one where needed."""
    broker, cursor = broker_of(request), query_text(request, "cursor")
    listing = await _listing(broker, None if cursor is None else parse_place(cursor))
    return public_answer(
        request,
        render_opml(site_url(request), listing),
        channel_id=PURGED_AS,
        keep_s=broker.site.poll_interval_s,
        parameters={} if cursor is None else {"cursor": cursor},
        media_type=MEDIA_TYPE,
    )


def parse_place(text: str) -> Place:
    """The place in the list that a cursor names; raises `Invalid`."""
    match = _PLACE.fullmatch(text)
    if match is None or not is_channel_id(match[2]):
        raise Invalid("cursor must come from an earlier document")
    return Place(int(match[1]), match[2])


def render_opml(base_url: str, listing: Listing) -> bytes:
    """The document; every URL begins with `base_url`."""

    def write(xml: XMLGenerator) -> None:
        xml.startDocument()
        start_element(xml, "opml", version="2.0")
        start_element(xml, "head")
        write_element(xml, "title", f"Channels of {base_url}")
        xml.endElement("head")
        start_element(xml, "body")
        for channel in listing.channels:
            write_element(xml, "outline", **_outline(base_url, channel))
        if listing.cursor is not None:
            url = f"{base_url}{PATH}?cursor={listing.cursor}"
            write_element(xml, "outline", type="include", text="More channels", url=url)
        xml.endElement("body")
        xml.endElement("opml")

    return render_xml(write)


def _outline(base_url: str, channel: ChannelRecord) -> dict[str, str]:
    url = f"{base_url}/api/v1/channels/{channel.id}"
    title = feed_title(channel)
    described = {"description": one_line(channel.description)} if channel.description else {}
    return {"type": "rss", "text": title, "title": title, **described, "xmlUrl": f"{url}/rss", "htmlUrl": url}


async def _listing(broker: Broker, before: Place | None) -> Listing:
    listed = await broker.channels.page(public_only=True, limit=CHANNELS, before=before)
    channels = [each.record for each in listed if not is_reserved(each.record.id)]
    if len(listed) < CHANNELS:
        return Listing(channels, None)
    last = listed[-1].record
    return Listing(channels, f"{last.created_ms}.{last.id}")
