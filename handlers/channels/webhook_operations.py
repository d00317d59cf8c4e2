"""The operations on webhooks (contract section 10)."""

from typing import Any

from broker.delivery_log import VERDICTS
from broker.endpoints import DEFAULT_TTL_S, MAX_TTL_S
from broker.pages import MAX_TYPES
from broker.targets import MAX_URL
from handlers.channels.deliveries import MAX_ROWS, get_webhook, list_deliveries, replay_webhook, resume_webhook
from handlers.channels.event_operations import CHANNEL, KEY, TOKEN
from handlers.channels.event_schemas import TIME
from handlers.channels.webhooks import list_webhooks, register_webhook, remove_webhook
from handlers.operations import Answer, Operation, Parameter

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
        "expires_at": TIME,
        "created_at": TIME,
    },
}
MADE: dict[str, Any] = {
    **REGISTERED,
    "properties": {
        **REGISTERED["properties"],
        "secret": {
            "type": "string",
            "pattern": "^whsec_",
            "description": "Verifies its deliveries (Standard Webhooks, v1). Shown this once, when the webhook is new.",
        },
    },
}
TIME_OR_NULL: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
PROGRESS: dict[str, Any] = {
    "type": "object",
    "required": ["status", "cursor", "failures", "waiting_subjects", "resumes_at"],
    "properties": {
        "status": {"enum": ["active", "paused_failing", "paused_gone"]},
        "cursor": {"type": "string", "description": "Up to here everything was delivered, or given up."},
        "failures": {"type": "integer", "description": "Attempts that failed since the last one that did not."},
        "waiting_subjects": {"type": "integer", "description": "Subjects with an event that waits to be tried again."},
        "resumes_at": {**TIME_OR_NULL, "description": "Nothing is sent before; null for no such time."},
    },
}
FOLLOWED: dict[str, Any] = {
    **REGISTERED,
    "required": [*REGISTERED["required"], "deliveries"],
    "properties": {**REGISTERED["properties"], "deliveries": PROGRESS},
}
DELIVERY: dict[str, Any] = {
    "type": "object",
    "required": ["number", "verdict", "at"],
    "properties": {
        "number": {"type": "integer"},
        "verdict": {
            "enum": list(VERDICTS),
            "description": "dead: given up. probe: an attempt while paused. gap: gone before it was sent.",
        },
        "at": TIME,
        "event_id": {"type": "string"},
        "attempt": {"type": "integer"},
        "duration_ms": {"type": "integer"},
        "status": {"type": ["integer", "null"], "description": "What the receiver answered, null for nothing."},
        "error": {"type": ["string", "null"], "description": "Why there was no answer."},
        "next_attempt_at": TIME_OR_NULL,
        "after": {"type": "string", "description": "Of a gap: the cursor that it lies behind."},
        "until": {"type": "string", "description": "Of a gap: the cursor that it reaches to."},
    },
}
DELIVERIES: dict[str, Any] = {
    "type": "object",
    "required": ["deliveries", "before"],
    "properties": {
        "deliveries": {"type": "array", "items": DELIVERY},
        "before": {"type": ["integer", "null"], "description": "For the next page, null on the last one."},
    },
}
REPLAY: dict[str, Any] = {
    "type": "object",
    "description": "One of the two.",
    "properties": {
        "cursor": {"type": ["string", "null"], "description": "Deliver everything after this."},
        "since": {**TIME_OR_NULL, "description": "Deliver everything created after this time."},
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
        {201: Answer("The webhook", MADE)},
        refusals=(400, 409, 413, 422, 429, 503),
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
    Operation(
        "GET",
        WEBHOOK,
        get_webhook,
        "Show a webhook and how far its deliveries are: its owner or an admin",
        "token",
        {200: Answer("The webhook", FOLLOWED)},
        refusals=(403, 404, 503),
        tag="webhooks",
    ),
    Operation(
        "GET",
        WEBHOOK + "/deliveries",
        list_deliveries,
        "List attempts to deliver, newest first: its owner or an admin",
        "token",
        {200: Answer("The newest 1,000 of the last 30 days, a page at a time", DELIVERIES)},
        refusals=(400, 403, 404, 503),
        parameters=(
            Parameter("verdict", "Only those with this outcome.", {"enum": list(VERDICTS)}),
            Parameter("before", "Only those with a lower number.", {"type": "integer", "minimum": 0}),
            Parameter(
                "limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": 50}
            ),
        ),
        tag="webhooks",
    ),
    Operation(
        "POST",
        WEBHOOK + "/resume",
        resume_webhook,
        "Have everything tried now that waits, and end a pause: its owner or an admin",
        "token",
        {200: Answer("The webhook", FOLLOWED)},
        refusals=(400, 403, 404, 422, 503),
        parameters=(KEY,),
        tag="webhooks",
    ),
    Operation(
        "POST",
        WEBHOOK + "/replay",
        replay_webhook,
        "Deliver everything after a cursor or a time, again where it was: its owner or an admin",
        "token",
        {200: Answer("The webhook", FOLLOWED)},
        refusals=(400, 403, 404, 413, 422, 503),
        parameters=(KEY,),
        body=REPLAY,
        tag="webhooks",
    ),
)
