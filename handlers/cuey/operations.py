"""The operations of cuey, and its messages for the AsyncAPI document."""

from pydantic import BaseModel

from handlers.asyncapi import Message, typed
from handlers.cuey.cron_routes import create_cron, delete_cron, list_crons, read_cron, update_cron
from handlers.cuey.errors import render_error
from handlers.cuey.events import TYPES
from handlers.cuey.listing import DEFAULT, MOST, MOST_PAGE
from handlers.cuey.models import (
    CronsShown,
    CronTaken,
    DoneShown,
    ErrorShown,
    EventsShown,
    EventTaken,
    OneCronShown,
    OneEventShown,
)
from handlers.cuey.routes import (
    delete_scheduled_webhook,
    list_scheduled_webhooks,
    read_scheduled_webhook,
    schedule_webhook,
    update_scheduled_webhook,
)
from handlers.idempotency import IDEMPOTENCY_KEY
from handlers.model_schemas import schema_of
from handlers.operations import Answer, Handler, Operation, Parameter, Schema

EVENTS = "/api/v1/events"
CRONS = "/api/v1/crons"
ONE_EVENT = f"{EVENTS}/{{cuey_event_id}}"
ONE_CRON = f"{CRONS}/{{cron_id}}"
ENVELOPES = {EVENTS: render_error, CRONS: render_error}
"""Every error below these paths, also those that no call of ours gave, has the body of this API."""

FOLLOW_PATH = "/api/v1/channels/cuey-team-{tenant}/ws"

_PAGE = (
    Parameter("page", "From 0.", {"type": "integer", "minimum": 0, "maximum": MOST_PAGE}),
    Parameter("limit", f"{DEFAULT} without.", {"type": "integer", "minimum": 1, "maximum": MOST}),
)
_STATUS = Parameter(
    "status", "Of this status only.", {"type": "string", "enum": ["pending", "processing", "success", "failed"]}
)
_CRON_ID = Parameter("cron_id", "Made by this cron only.", {"type": "string", "format": "uuid"})
_IS_ACTIVE = Parameter(
    "is_active", "Active ones only, or inactive ones.", {"type": "string", "enum": ["true", "false"]}
)


def _operation(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    shown: type[BaseModel],
    *refusals: int,
    body: type[BaseModel] | None = None,
    parameters: tuple[Parameter, ...] = (),
    status: int = 200,
) -> Operation:
    return Operation(
        method,
        path,
        handler,
        summary,
        "tenant",
        {status: Answer(summary, schema_of(shown))},
        refusals=(*refusals, 503),
        parameters=parameters if method == "GET" else (*parameters, IDEMPOTENCY_KEY),
        body=None if body is None else schema_of(body),
        tag="cuey",
        error=schema_of(ErrorShown),
    )


OPERATIONS = (
    _operation("POST", EVENTS, schedule_webhook, "Schedule a webhook", OneEventShown, 400, body=EventTaken, status=201),
    _operation(
        "GET",
        EVENTS,
        list_scheduled_webhooks,
        "List events",
        EventsShown,
        400,
        416,
        parameters=(*_PAGE, _STATUS, _CRON_ID),
    ),
    _operation("GET", ONE_EVENT, read_scheduled_webhook, "Read an event", OneEventShown, 404),
    _operation(
        "PUT", ONE_EVENT, update_scheduled_webhook, "Change a pending event", OneEventShown, 400, 404, body=EventTaken
    ),
    _operation("DELETE", ONE_EVENT, delete_scheduled_webhook, "Take a pending event back", DoneShown, 400, 404),
    _operation("POST", CRONS, create_cron, "Make a cron", OneCronShown, 400, body=CronTaken, status=201),
    _operation("GET", CRONS, list_crons, "List crons", CronsShown, 400, 416, parameters=(*_PAGE, _IS_ACTIVE)),
    _operation("GET", ONE_CRON, read_cron, "Read a cron", OneCronShown, 404),
    _operation("PUT", ONE_CRON, update_cron, "Change a cron", OneCronShown, 400, 404, body=CronTaken),
    _operation("DELETE", ONE_CRON, delete_cron, "Remove a cron", DoneShown, 400, 404),
)

_SUMMARIES = {
    "cuey.event.created": "An event was made, by its team or a cron",
    "cuey.event.updated": "An event was changed by its team",
    "cuey.event.deleted": "An event was taken back, or its cron was changed or removed",
    "cuey.event.processing": "A call begins; with the cause `recovery` again, after a process that died",
    "cuey.event.succeeded": "The receiver took it",
    "cuey.event.failed": "The receiver did not take it",
    "cuey.event.retried": "An event was made to try a failed one again",
    "cuey.event.exhausted": "The last retry failed",
    "cuey.cron.created": "A cron was made",
    "cuey.cron.updated": "A cron was changed",
    "cuey.cron.deleted": "A cron was removed",
}


def messages_of(frame: Schema) -> tuple[Message, ...]:
    """The typed events of the channel; `frame` is the schema of any channel's event."""
    return tuple(typed(frame, name, summary, schema_of(TYPES[name])) for name, summary in _SUMMARIES.items())
