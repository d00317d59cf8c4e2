"""JSON Schemas of events and pages, for the OpenAPI document (contract sections 2, 3 and 8)."""

from typing import Any

ULID = {"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"}
CHANNEL_ID = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$"}
TIME = {"type": "string", "format": "date-time"}
NULLABLE_TEXT = {"type": ["string", "null"]}

EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "channel_id", "type", "data", "publisher_id", "created_at"],
    "properties": {
        "id": ULID,
        "channel_id": {"type": "string"},
        "type": NULLABLE_TEXT,
        "data": {"description": "Any JSON value, at most 64 KB."},
        "publisher_id": NULLABLE_TEXT,
        "publisher_name": {"type": "string"},
        "created_at": TIME,
        "meta": {"type": "string", "description": "As it was published; left out when there is none."},
        "reply_to": ULID,
    },
}
EVENTS: dict[str, Any] = {
    "type": "object",
    "required": ["events"],
    "properties": {"events": {"type": "array", "items": EVENT}},
}
PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["events", "cursor", "has_more", "complete"],
    "properties": {
        "events": {"type": "array", "items": EVENT},
        "cursor": {**ULID, "description": "Where to go on from; also on an empty page."},
        "has_more": {"type": "boolean"},
        "complete": {"type": "boolean", "description": "false when events after the given cursor are no longer kept."},
        "oldest": {**NULLABLE_TEXT, "description": "The first id still kept; only where complete is false."},
    },
}
DRAFT: dict[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "type": {"type": ["string", "null"], "maxLength": 256},
        "data": {"description": "Any JSON value, at most 64 KB."},
        "meta": {"type": ["string", "object", "null"]},
        "reply_to": {"type": ["string", "null"], "description": "The id of an event of this channel."},
    },
}
PUBLISH_AT = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "Not now, but at this time, at most a year ahead.",
}
PUBLISH: dict[str, Any] = {
    "anyOf": [
        {**DRAFT, "properties": {**DRAFT["properties"], "publish_at": PUBLISH_AT}},
        {
            "type": "object",
            "required": ["events"],
            "properties": {"events": {"type": "array", "maxItems": 100, "items": DRAFT}, "publish_at": PUBLISH_AT},
        },
    ]
}
SCHEDULED: dict[str, Any] = {
    "type": "object",
    "required": ["scheduled"],
    "properties": {
        "scheduled": {
            "type": "object",
            "required": ["id", "publish_at"],
            "properties": {"id": {"type": "string"}, "publish_at": TIME},
        }
    },
}
PUBLISHED: dict[str, Any] = {"anyOf": [EVENT, EVENTS]}
