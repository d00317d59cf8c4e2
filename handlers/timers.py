"""Timers and the test clock, for operators: `GET /admin/timers`, `POST /admin/clock` (design section 5)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer as Kept
from broker.errors import Conflict, Invalid
from broker.ids import render_time
from broker.storage.clock import CLOCK_KEY, MOST_MS
from broker.timers import render_pending
from handlers.auth import optional_grant
from handlers.broker import broker_of
from handlers.idempotency import IDEMPOTENCY_KEY, Keeping, json_kept, once
from handlers.operations import Answer, Operation, Parameter
from handlers.requests import query_number, read_json
from handlers.responses import PRIVATE, json_answer

MOST_TIMERS = 1_000
ONLY_IN_TESTS = 'The clock is the real one; only a server with [clock] mode = "test" has one that can be moved'


async def list_timers(request: Request) -> Response:
    """What will fire, when, and for what: the timers that are due next, of everybody. A claimed one is being done."""
    broker, limit = broker_of(request), query_number(request, "limit", default=100, lowest=1, highest=MOST_TIMERS)
    listing = await broker.timers.pending(limit=limit)
    shown = {
        "now": render_time(await broker.engine.now_ms()),
        "total": listing.total,
        "timers": [render_pending(each) for each in listing.timers],
    }
    return json_answer(shown, headers={"Cache-Control": PRIVATE})


async def advance_clock(request: Request) -> Response:
    """Move the clock of a test server forward, for all of its processes; what becomes due by it is done at once."""
    broker = broker_of(request)
    body = await read_json(request)
    advance_ms = _advance_of(body)
    if not broker.clock.is_test:
        raise Conflict(ONLY_IN_TESTS)

    async def act(_: Keeping) -> Kept:
        if broker.engine.clock_offset_ms + advance_ms > MOST_MS:
            raise Invalid(f"The clock can be moved by at most {MOST_MS} ms in all")
        offset_ms = await broker.clock.advance(advance_ms)
        return json_kept({"now": render_time(await broker.engine.now_ms()), "offset_ms": offset_ms})

    grant = optional_grant(broker, request.headers.get("authorization"), None)
    return await once(request, grant, body, broker.engine.partition(CLOCK_KEY), act)


def _advance_of(body: Any) -> int:
    value = body.get("advance_ms") if isinstance(body, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_MS:
        raise Invalid(f"advance_ms must be a whole number from 0 to {MOST_MS}")
    return value


TIME = {"type": "string", "format": "date-time"}
TIMER: dict[str, Any] = {
    "type": "object",
    "required": ["kind", "owner", "subject", "due_at", "claimed", "tries"],
    "properties": {
        "kind": {"type": "string", "description": "What it leads to."},
        "owner": {"type": "string", "description": "The tenant or the channel that it is for."},
        "subject": {"type": "string", "description": "What it is about."},
        "due_at": TIME,
        "claimed": {"type": "boolean", "description": "A process is doing it now."},
        "tries": {"type": "integer", "description": "How often it was tried in vain."},
    },
}
OPERATIONS = (
    Operation(
        "GET",
        "/admin/timers",
        list_timers,
        "What will fire, when, for what",
        "admin",
        {
            200: Answer(
                "The timers that are due next",
                {
                    "type": "object",
                    "required": ["now", "total", "timers"],
                    "properties": {
                        "now": TIME,
                        "total": {"type": "integer"},
                        "timers": {"type": "array", "items": TIMER},
                    },
                },
            )
        },
        refusals=(400, 503),
        parameters=(
            Parameter(
                "limit",
                "How many at most.",
                {"type": "integer", "minimum": 1, "maximum": MOST_TIMERS, "default": 100},
            ),
        ),
        tag="operation",
    ),
    Operation(
        "POST",
        "/admin/clock",
        advance_clock,
        "Move the clock of a test server forward",
        "admin",
        {
            200: Answer(
                "The time that it is now",
                {
                    "type": "object",
                    "required": ["now", "offset_ms"],
                    "properties": {"now": TIME, "offset_ms": {"type": "integer"}},
                },
            )
        },
        refusals=(400, 409, 413, 422, 503),
        parameters=(IDEMPOTENCY_KEY,),
        body={
            "type": "object",
            "required": ["advance_ms"],
            "properties": {"advance_ms": {"type": "integer", "minimum": 0, "maximum": MOST_MS}},
        },
        tag="operation",
    ),
)
