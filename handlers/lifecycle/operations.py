"""The operations of the lifecycle API, and its messages for the AsyncAPI document."""

from handlers.asyncapi import Message, typed
from handlers.idempotency import IDEMPOTENCY_KEY
from handlers.lifecycle.errors import render_error
from handlers.lifecycle.events import TYPES, Told
from handlers.lifecycle.models import CreateTaken, ErrorShown, EventsShown, QueriesTaken
from handlers.lifecycle.routes import cancel_events, create_events, finish_events, select_events, start_events
from handlers.model_schemas import schema_of
from handlers.operations import Answer, Handler, Operation, Parameter, Schema

SERVICE = "/event.events.private.v1.Service"
ENVELOPES = {SERVICE: render_error}
"""Every error below this path, also those that no call of ours gave, has the body of this API."""

FOLLOW_PATH = "/api/v1/channels/lifecycle-team-{tenant}/ws"


def _operation(name: str, handler: Handler, summary: str, body: Schema, *refusals: int) -> Operation:
    parameters: tuple[Parameter, ...] = () if name == "Select" else (IDEMPOTENCY_KEY,)
    return Operation(
        "POST",
        f"{SERVICE}/{name}",
        handler,
        summary,
        "tenant",
        {200: Answer("The events, in the order of the arguments", schema_of(EventsShown))},
        refusals=(400, *refusals, 413, 503),
        parameters=parameters,
        body=body,
        tag="event lifecycle",
        error=schema_of(ErrorShown),
    )


_QUERIES = schema_of(QueriesTaken)
OPERATIONS = (
    _operation("Create", create_events, "Create events, all or none", schema_of(CreateTaken), 409),
    _operation("Start", start_events, "Start events, all or none", _QUERIES, 404, 409),
    _operation("Finish", finish_events, "Finish events, all or none", _QUERIES, 404, 409),
    _operation("Cancel", cancel_events, "Cancel events, all or none", _QUERIES, 404, 409),
    _operation("Select", select_events, "Read events", _QUERIES, 404),
)

_SUMMARIES = (
    "An event was created",
    "An event was started",
    "An event was finished",
    "An event was canceled; `previous_status` tells whether it had been started",
)


def messages_of(frame: Schema) -> tuple[Message, ...]:
    """The typed events of the channel; `frame` is the schema of any channel's event."""
    told = schema_of(Told)
    return tuple(typed(frame, name, summary, told) for name, summary in zip(TYPES, _SUMMARIES, strict=True))
