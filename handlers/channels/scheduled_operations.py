"""The operations on scheduled publishes."""

from typing import Any

from handlers.channels.event_operations import CHANNEL, KEY
from handlers.channels.event_schemas import NULLABLE_TEXT, TIME
from handlers.channels.scheduled import cancel_all_scheduled, cancel_scheduled, get_scheduled, list_scheduled
from handlers.operations import Answer, Operation

SCHEDULED_PATH = CHANNEL + "/scheduled"
ONE_PATH = SCHEDULED_PATH + "/{scheduled_id}"

MEMBERS: dict[str, Any] = {
    "id": {"type": "string", "pattern": "^sp_[0-7][0-9A-HJKMNP-TV-Z]{25}$"},
    "channel_id": {"type": "string"},
    "publish_at": TIME,
    "created_at": TIME,
    "publisher_id": NULLABLE_TEXT,
    "event_count": {"type": "integer"},
    "status": {"enum": ["scheduled", "published", "failed"]},
}
SCHEDULED: dict[str, Any] = {
    "type": "object",
    "required": list(MEMBERS),
    "properties": {**MEMBERS, "error": {"type": "string", "description": "Why it failed."}},
}
LISTED: dict[str, Any] = {
    "type": "object",
    "required": ["scheduled"],
    "properties": {"scheduled": {"type": "array", "items": SCHEDULED}},
}

OPERATIONS = (
    Operation(
        "GET",
        SCHEDULED_PATH,
        list_scheduled,
        "List the publishes that wait: one's own, or all for an admin",
        "publish",
        {200: Answer("Those that wait, the next one first", LISTED)},
        refusals=(404, 503),
        tag="events",
    ),
    Operation(
        "DELETE",
        SCHEDULED_PATH,
        cancel_all_scheduled,
        "Take back all publishes that wait: one's own, or all for an admin",
        "publish",
        {204: Answer("None of them is published")},
        refusals=(400, 404, 422, 503),
        parameters=(KEY,),
        tag="events",
    ),
    Operation(
        "GET",
        ONE_PATH,
        get_scheduled,
        "Show a scheduled publish",
        "publish",
        {200: Answer("It, and what became of it", SCHEDULED)},
        refusals=(404, 503),
        tag="events",
    ),
    Operation(
        "DELETE",
        ONE_PATH,
        cancel_scheduled,
        "Take a scheduled publish back",
        "publish",
        {204: Answer("It is not published")},
        refusals=(400, 404, 409, 422, 503),
        parameters=(KEY,),
        tag="events",
    ),
)
