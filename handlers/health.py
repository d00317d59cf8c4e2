"""`/healthz` and `/readyz`: is this process alive, and may it get traffic."""

from starlette.requests import Request
from starlette.responses import Response

from broker.errors import Unavailable
from handlers.broker import broker_of
from handlers.operations import Answer, Operation
from handlers.responses import json_answer

OK = {"type": "object", "properties": {"ok": {"const": True}}, "required": ["ok"]}


async def healthz(_: Request) -> Response:
    """200 while the process runs its loop; it does not ask the engine."""
    return json_answer({"ok": True})


async def readyz(request: Request) -> Response:
    """200 when the engine answers and no drain has begun, else 503; balancers send traffic by this."""
    broker = broker_of(request)
    if broker.is_draining():
        raise Unavailable("The server is draining", retry_after_s=5)
    await broker.engine.ping()
    if not broker.hub.vouches:
        raise Unavailable("The engine was away; readers are not let in yet", retry_after_s=1)
    return json_answer({"ok": True})


OPERATIONS = (
    Operation("GET", "/healthz", healthz, "Is the process alive", "none", {200: Answer("Alive", OK)}, tag="operation"),
    Operation(
        "GET", "/readyz", readyz, "May it get traffic", "none", {200: Answer("Ready", OK)}, (503,), tag="operation"
    ),
)
