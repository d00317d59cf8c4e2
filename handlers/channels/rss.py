"""RSS 2.0 (contract section 12). Pure; the XML is written by the standard library.

The text of an item is HTML by the custom of all readers, so what could be markup in it is escaped as HTML first.
"""

from email.utils import formatdate
from html import escape
from xml.sax.saxutils import XMLGenerator

from broker.xmltext import render_xml, start_element, write_element
from handlers.channels.feed import Entry, Feed

MEDIA_TYPE = "application/rss+xml"
ATOM = "http://www.w3.org/2005/Atom"


def render_rss_head(feed: Feed) -> bytes:
    """Everything before the items."""

    def write(xml: XMLGenerator) -> None:
        xml.startDocument()
        start_element(xml, "rss", version="2.0", **{"xmlns:atom": ATOM})
        start_element(xml, "channel")
        write_element(xml, "title", feed.title)
        write_element(xml, "link", feed.home)
        write_element(xml, "description", escape(feed.description or feed.title, quote=False))
        write_element(xml, "atom:link", rel="self", type=MEDIA_TYPE, href=feed.address)

    return render_xml(write)


def render_rss_item(entry: Entry) -> bytes:
    """One event."""

    def write(xml: XMLGenerator) -> None:
        start_element(xml, "item")
        write_element(xml, "title", entry.title)
        write_element(xml, "description", escape(entry.text, quote=False))
        write_element(xml, "guid", entry.id, isPermaLink="false")
        write_element(xml, "pubDate", formatdate(entry.created_ms // 1000, usegmt=True))
        xml.endElement("item")

    return render_xml(write)


def render_rss_tail() -> bytes:
    """Everything after the items."""

    def write(xml: XMLGenerator) -> None:
        xml.endElement("channel")
        xml.endElement("rss")

    return render_xml(write)
