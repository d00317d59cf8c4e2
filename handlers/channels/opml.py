"""`/opml`: the public channels as feeds to subscribe to (contract section 12), in documents of bounded size.

A document lists up to `CHANNELS` of the newest. Where there are more it ends with an `include` outline, which is how
OPML 2.0 goes on in another document: so one request is bounded work, and all documents together list every channel.
"""

from xml.sax.saxutils import XMLGenerator

from starlette.requests import Request
from starlette.responses import Response

from broker.channels import ChannelRecord
from broker.listing import parse_list_cursor
from broker.scopes import Reach
from broker.storage.channel_list import ListPage
from broker.xmltext import one_line, render_xml, start_element, write_element
from handlers.broker import broker_of
from handlers.caching import public_answer
from handlers.channels.feed import feed_title
from handlers.requests import query_text
from handlers.site_url import site_url

MEDIA_TYPE = "text/x-opml"
PATH = "/api/v1/opml"
CHANNELS = 500
PURGED_AS = "opml"


async def get_opml(request: Request) -> Response:
    """The public channels as an OPML 2.0 subscription list; the last outline includes the next one where needed."""
    broker, cursor = broker_of(request), query_text(request, "cursor")
    below = None if cursor is None else parse_list_cursor(cursor)
    listing = await broker.channel_list.page(Reach(), limit=CHANNELS, below=below)
    return public_answer(
        request,
        render_opml(site_url(request), listing),
        channel_id=PURGED_AS,
        keep_s=broker.site.poll_interval_s,
        parameters={} if cursor is None else {"cursor": cursor},
        media_type=MEDIA_TYPE,
    )


def render_opml(base_url: str, listing: ListPage) -> bytes:
    """The document; every URL begins with `base_url`."""

    def write(xml: XMLGenerator) -> None:
        xml.startDocument()
        start_element(xml, "opml", version="2.0")
        start_element(xml, "head")
        write_element(xml, "title", f"Channels of {base_url}")
        xml.endElement("head")
        start_element(xml, "body")
        for listed in listing.listed:
            write_element(xml, "outline", **_outline(base_url, listed.record))
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
