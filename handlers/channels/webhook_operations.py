"""The operations on webhooks (contract section 10)."""

from typing import Any

from broker.endpoints import DEFAULT_TTL_S, MAX_TTL_S
from broker.pages import MAX_TYPES
from broker.targets import MAX_URL
from handlers.channels.event_operations import CHANNEL, KEY, TOKEN
from handlers.channels.webhooks import list_webhooks, register_webhook, remove_webhook
from handlers.operations import Answer, Operation

WEBHOOKS = CHANNEL + "/webhooks"
WEBHOOK = WEBHOOKS + "/{webhook_id}"

TYPES: dict[str, Any] = {"type": ["array", "null"], "maxItems": MAX_TYPES, "items": {"type": "string"}}

REGISTRATION: dict[str, Any] = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {
            "type": "string",
            "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
            "maxLength": MAX_URL,
            "description": "A public http or https URL.",
        },
        "event_types": {**TYPES, "description": "Only events of these types; none or an empty list for all."},
        "ttl_seconds": {
            "type": ["integer", "null"],
            "minimum": 1,
            "default": DEFAULT_TTL_S,
            "description": f"When the webhook ends; more than {MAX_TTL_S} counts as that.",
        },
    },
}
REGISTERED: dict[str, Any] = {
    "type": "object",
    "required": ["id", "channel_id", "url", "event_types", "expires_at", "created_at"],
    "properties": {
        "id": {"type": "string", "pattern": "^wh_[0-7][0-9A-HJKMNP-TV-Z]{25}$"},
        "channel_id": {"type": "string"},
        "url": {"type": "string", "description": "In its normal form."},
        "event_types": {**TYPES, "description": "null for all events."},
        "expires_at": {"type": "string", "format": "date-time"},
        "created_at": {"type": "string", "format": "date-time"},
    },
}
LISTED: dict[str, Any] = {
    "type": "object",
    "required": ["webhooks"],
    "properties": {"webhooks": {"type": "array", "items": REGISTERED}},
}

OPERATIONS = (
    Operation(
        "POST",
        WEBHOOKS,
        register_webhook,
        "Register a webhook, or renew it",
        "read",
        {201: Answer("The webhook", REGISTERED)},
        refusals=(400, 413, 422, 429, 503),
        parameters=(TOKEN, KEY),
        body=REGISTRATION,
        tag="webhooks",
    ),
    Operation(
        "GET",
        WEBHOOKS,
        list_webhooks,
        "List webhooks: one's own, or all for an admin",
        "token",
        {200: Answer("The webhooks, oldest first", LISTED)},
        refusals=(400, 403, 404, 503),
        parameters=(TOKEN,),
        tag="webhooks",
    ),
    Operation(
        "DELETE",
        WEBHOOK,
        remove_webhook,
        "Remove a webhook: its owner or an admin",
        "token",
        {204: Answer("Nothing is sent to it any more")},
        refusals=(400, 403, 404, 422, 503),
        parameters=(KEY,),
        tag="webhooks",
    ),
)
