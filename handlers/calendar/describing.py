"""How an operation of calendars is described: what all of them have in common is written once."""

from pydantic import BaseModel

from handlers.calendar.models import ErrorShown
from handlers.idempotency import IDEMPOTENCY_KEY
from handlers.model_schemas import schema_of
from handlers.operations import Answer, Handler, Operation, Parameter


def operation(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    shown: type[BaseModel] | None,
    *refusals: int,
    body: type[BaseModel] | None = None,
    parameters: tuple[Parameter, ...] = (),
    status: int = 200,
) -> Operation:
    """An operation for a key of calendars; `shown` is what it answers, None for nothing, `refusals` are its own."""
    return Operation(
        method,
        path,
        handler,
        summary,
        "tenant",
        {status: Answer(summary, None if shown is None else schema_of(shown))},
        # Writes take an Idempotency-Key, which may be none (400) or that of another body (409).
        refusals=(*refusals, 503) if method == "GET" else (*sorted({400, *refusals, 409}), 503),
        parameters=parameters if method == "GET" else (*parameters, IDEMPOTENCY_KEY),
        body=None if body is None else schema_of(body),
        tag="calendar",
        error=schema_of(ErrorShown),
    )
