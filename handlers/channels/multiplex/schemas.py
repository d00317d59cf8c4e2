"""JSON Schemas of everything said on `/api/v1/ws`, for the AsyncAPI document (docs/multiplex.md tells the story)."""

from typing import Any

from handlers.channels.event_schemas import CHANNEL_ID, DRAFT, NULLABLE_TEXT, ULID

REF: dict[str, Any] = {
    "description": "Chosen by the client; the answer repeats it.",
    "anyOf": [
        {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
        {"type": "string", "maxLength": 64},
    ],
}
CURSORS: dict[str, Any] = {"type": "object", "propertyNames": CHANNEL_ID, "additionalProperties": ULID}
KEY: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 128,
    "description": "The Idempotency-Key: one scope with the header of POST .../events.",
}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None, *, closed: bool = True) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }
    return {**schema, "additionalProperties": False} if closed else schema


def _answer(name: str, said: dict[str, Any]) -> dict[str, Any]:
    return _object({name: said}, {"ref": REF})


_CURSOR = {**ULID, "description": "Only events after this one; without cursor and since it begins at the tip."}
_SUBSCRIBE = _object(
    {"channel": CHANNEL_ID},
    {
        "cursor": _CURSOR,
        "since": {"type": "string", "format": "date-time", "description": "Only events created after this time."},
        "types": {"type": "array", "maxItems": 32, "items": {"type": "string"}, "description": "Empty means all."},
        "on_gap": {
            "enum": ["continue", "error"],
            "default": "continue",
            "description": "error: answer 410 when events after the cursor are gone, and follow nothing.",
        },
    },
)
_TO_CHANNEL = {"channel": CHANNEL_ID, "key": KEY}
_EVENTS = {"type": "array", "maxItems": 100, "items": DRAFT}
_PUBLISH = {
    "anyOf": [
        {**DRAFT, "required": ["channel", "data"], "properties": {**DRAFT["properties"], **_TO_CHANNEL}},
        _object({"channel": CHANNEL_ID, "events": _EVENTS}, {"key": KEY}, closed=False),
    ]
}

COMMANDS: dict[str, dict[str, Any]] = {
    "subscribe": _answer("subscribe", _SUBSCRIBE),
    "unsubscribe": _answer("unsubscribe", _object({"channel": CHANNEL_ID})),
    "publish": _answer("publish", _PUBLISH),
    "token": _answer("token", {"type": "string", "description": "A channel token; taken from now on."}),
}
"""What a client says, by the member that names the command."""

_ERROR = _object(
    {"status": {"type": "integer", "minimum": 400, "maximum": 599}, "error": {"type": "string"}},
    {
        "details": {"type": "array", "items": {"type": "object"}},
        "reason": {"type": "string"},
        "code": {"type": "string"},
        "oldest": {"anyOf": [ULID, {"type": "null"}]},
        "retry_after_s": {"type": "integer", "minimum": 0},
    },
)
_SUBSCRIBED = _object(
    {
        "channel": CHANNEL_ID,
        "cursor": {**ULID, "description": "Where it begins: events after this one come."},
        "tail": {**ULID, "description": "The end of the log at that moment."},
        "complete": {"type": "boolean", "description": "false when events after the given cursor are no longer kept."},
    },
    {
        "oldest": {
            "anyOf": [ULID, {"type": "null"}],
            "description": "The first id still kept; only where complete is false.",
        }
    },
)
_ENDED = _object(
    {
        "channel": CHANNEL_ID,
        "code": {"type": "integer", "description": "As in the table of close codes."},
        "reason": {"type": "string"},
        "cursor": {
            "anyOf": [ULID, {"type": "null"}],
            "description": "Where to resume; null where that makes no sense.",
        },
    }
)

MESSAGES: dict[str, dict[str, Any]] = {
    "subscribed": _answer("subscribed", _SUBSCRIBED),
    "unsubscribed": _answer("unsubscribed", _object({"channel": CHANNEL_ID, "cursor": ULID})),
    "published": _answer(
        "published",
        _object(
            {"channel": CHANNEL_ID, "ids": {"type": "array", "items": ULID}},
            {"replayed": {"const": True, "description": "The key came before: these are the ids of then."}},
        ),
    ),
    "authenticated": _answer(
        "authenticated",
        _object(
            {"publisher_id": NULLABLE_TEXT, "scopes": {"type": "array", "items": {"type": "string"}}},
            {"expires_at": {"type": "string", "format": "date-time"}},
        ),
    ),
    "error": _answer("error", _ERROR),
    "ended": _object({"ended": _ENDED}),
    "position": _object({"position": CURSORS}),
    "closing": _object({"closing": CURSORS}),
}
"""What the server says beside events, by the member that names it."""
