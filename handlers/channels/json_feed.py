"""JSON Feed 1.1 (contract section 12). Pure. What the format has no place for stands under `_zooid`."""

from broker.strictjson import render_json
from handlers.channels.feed import Entry, Feed

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"
SHOWN = ("channel_id", "publisher_id", "type", "data")


def render_json_head(feed: Feed) -> bytes:
    """Everything before the items."""
    head = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        **({} if feed.description is None else {"description": feed.description}),
        "_zooid": feed.position,
    }
    return render_json(head).removesuffix(b"}") + b',"items":['


def render_json_item(entry: Entry) -> bytes:
    """One event."""
    event = entry.event
    shown = {
        "id": entry.id,
        "title": entry.title,
        "content_text": entry.text,
        "date_published": event["created_at"],
        **({"tags": [event["type"]]} if event["type"] else {}),
        "_zooid": {name: event[name] for name in SHOWN},
    }
    return render_json(shown)


def render_json_tail() -> bytes:
    """Everything after the items."""
    return b"]}"
