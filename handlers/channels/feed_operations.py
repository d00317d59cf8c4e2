"""The operations on feeds (contract section 12)."""

from typing import Any

from handlers.channels.event_operations import CHANNEL, CURSOR, LIMIT, ON_GAP, SINCE, TOKEN, TYPE, TYPES
from handlers.channels.event_schemas import NULLABLE_TEXT, ULID
from handlers.channels.feeds import get_json_feed, get_rss
from handlers.channels.json_feed import MEDIA_TYPE as JSON_FEED_TYPE
from handlers.channels.json_feed import VERSION
from handlers.channels.opml import MEDIA_TYPE as OPML_TYPE
from handlers.channels.opml import PATH as OPML_PATH
from handlers.channels.opml import get_opml
from handlers.channels.rss import MEDIA_TYPE as RSS_TYPE
from handlers.operations import Answer, Operation, Parameter

RSS = CHANNEL + "/rss"
JSON_FEED = CHANNEL + "/feed.json"

FORMAT = Parameter("format", "How data is written as text.", {"enum": ["yaml", "json"], "default": "yaml"})
NEXT = Parameter("cursor", "Where an earlier document ended: from its include outline.", ULID)
PARAMETERS = (CURSOR, SINCE, TYPES, TYPE, LIMIT, FORMAT, ON_GAP, TOKEN)

ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["id", "title", "content_text", "date_published", "_zooid"],
    "properties": {
        "id": ULID,
        "title": {"type": "string", "description": "The event's type on one line."},
        "content_text": {"type": "string", "description": "The data, as YAML or JSON."},
        "date_published": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "_zooid": {
            "type": "object",
            "required": ["channel_id", "publisher_id", "type", "data"],
            "properties": {
                "channel_id": {"type": "string"},
                "publisher_id": NULLABLE_TEXT,
                "type": NULLABLE_TEXT,
                "data": {"description": "Any JSON value, as it was published."},
            },
        },
    },
}
FEED: dict[str, Any] = {
    "type": "object",
    "required": ["version", "title", "home_page_url", "feed_url", "items", "_zooid"],
    "properties": {
        "version": {"const": VERSION},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "home_page_url": {"type": "string"},
        "feed_url": {"type": "string"},
        "items": {"type": "array", "items": ITEM},
        "_zooid": {
            "type": "object",
            "required": ["cursor", "has_more", "complete"],
            "properties": {
                "cursor": {**ULID, "description": "Where to go on from, at every door."},
                "has_more": {"type": "boolean"},
                "complete": {"type": "boolean"},
                "oldest": NULLABLE_TEXT,
            },
        },
    },
}

OPERATIONS = (
    Operation(
        "GET",
        RSS,
        get_rss,
        "The last events as RSS",
        "read",
        {200: Answer("RSS 2.0", media_type=RSS_TYPE), 304: Answer("Unchanged")},
        refusals=(400, 410, 503),
        parameters=PARAMETERS,
        tag="feeds",
    ),
    Operation(
        "GET",
        JSON_FEED,
        get_json_feed,
        "The last events as JSON Feed",
        "read",
        {200: Answer("JSON Feed 1.1", FEED, JSON_FEED_TYPE), 304: Answer("Unchanged")},
        refusals=(400, 410, 503),
        parameters=PARAMETERS,
        tag="feeds",
    ),
    Operation(
        "GET",
        OPML_PATH,
        get_opml,
        "The public channels as feeds to subscribe to",
        "none",
        {200: Answer("OPML 2.0", media_type=OPML_TYPE), 304: Answer("Unchanged")},
        refusals=(400, 503),
        parameters=(NEXT,),
        tag="feeds",
    ),
)
