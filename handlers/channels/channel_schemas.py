"""JSON Schemas of channels, their list, their bodies and the roles, for the OpenAPI document (contract section 4)."""

from typing import Any

from broker.channel_changes import MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, MAX_TAG_CHARS, MAX_TAGS
from broker.presence import MOST_NAMED
from handlers.channels.event_schemas import CHANNEL_ID, NULLABLE_TEXT, TIME, ULID

OBJECT_OR_NULL: dict[str, Any] = {"type": ["object", "null"]}
NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS}
DESCRIPTION: dict[str, Any] = {"type": ["string", "null"], "maxLength": MAX_DESCRIPTION_CHARS}
TAGS: dict[str, Any] = {
    "type": ["array", "null"],
    "maxItems": MAX_TAGS,
    "items": {"type": "string", "minLength": 1, "maxLength": MAX_TAG_CHARS},
}
TYPES: dict[str, Any] = {"type": "object", "minProperties": 1, "additionalProperties": {"type": "object"}}
CONFIG: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "At most 32 KB. Keys that are not listed are kept.",
    "properties": {
        "strict_types": {"type": "boolean", "description": "Refuse events that are not of a listed type."},
        "types": {
            "description": "By event type: {schema: JSON Schema of draft 7 or 2020-12}. Strict types: at most 16 KB.",
        },
        "storage": {
            "description": "retention_days and retention_events: numbers of at least 1; others mean the server's.",
        },
    },
    "if": {"type": "object", "properties": {"strict_types": {"const": True}}, "required": ["strict_types"]},
    "then": {"properties": {"types": TYPES}, "required": ["types"]},
}
META: dict[str, Any] = {"type": ["object", "null"], "description": "Anything, at most 16 KB."}

_RECORD: dict[str, Any] = {
    "id": CHANNEL_ID,
    "name": NAME,
    "description": NULLABLE_TEXT,
    "tags": {"type": "array", "items": {"type": "string"}},
    "is_public": {"type": "boolean"},
    "config": OBJECT_OR_NULL,
    "meta": OBJECT_OR_NULL,
}
_LISTED: dict[str, Any] = {
    **_RECORD,
    "event_count": {"type": "integer", "minimum": 0, "description": "Events ever published."},
    "last_event_id": {"anyOf": [ULID, {"type": "null"}], "description": "May name a deleted event."},
    "last_event_at": {"anyOf": [TIME, {"type": "null"}]},
    "created_at": TIME,
}
_SHOWN: dict[str, Any] = {
    **_LISTED,
    "subscriber_count": {
        "type": "integer",
        "minimum": 0,
        "description": "Sockets and streams that follow it now, at all processes; exact within a second.",
    },
}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


PRESENT = _object(
    {
        "total": {"type": "integer", "minimum": 0, "description": "Sockets and streams that follow the channel."},
        "anonymous": {"type": "integer", "minimum": 0, "description": "Those of them that no token names."},
        "readers": {
            "type": "array",
            "maxItems": MOST_NAMED,
            "items": _object(
                {
                    "subject": NULLABLE_TEXT,
                    "name": NULLABLE_TEXT,
                    "since": TIME,
                    "connections": {"type": "integer", "minimum": 1},
                }
            ),
        },
        "truncated": {"type": "boolean", "description": "More people read it than are listed."},
    }
)
CHANNEL = _object(_RECORD)
SHOWN_CHANNEL = _object(_SHOWN)
CHANNEL_LIST = _object(
    {
        "channels": {"type": "array", "items": _object(_LISTED)},
        "cursor": {"anyOf": [ULID, {"type": "null"}], "description": "Where the list goes on; null at its end."},
        "has_more": {"type": "boolean"},
    }
)
CREATED = _object({"id": CHANNEL_ID, "token": {"type": "string", "description": "Publishes to the channel, reads it."}})
CHANNEL_META = _object({"id": CHANNEL_ID, "meta": OBJECT_OR_NULL})
ROLES = _object(
    {
        "roles": {
            "type": "array",
            "items": _object({"id": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string"}}}),
        }
    }
)
PATCH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": NAME,
        "description": DESCRIPTION,
        "tags": TAGS,
        "is_public": {"type": "boolean"},
        "config": CONFIG,
        "meta": META,
    },
}
CREATE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": CHANNEL_ID,
        **PATCH["properties"],
        "is_public": {"type": "boolean", "default": False},
    },
}
PATCH_META: dict[str, Any] = {"type": "object", "description": "Merged into the meta; null deletes a key."}
