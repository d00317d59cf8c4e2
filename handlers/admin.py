"""What is for administrators only: on the server's own address with a scope for it, on `[server] admin_listen`, which
only this machine reaches, without a token (design section 6)."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive

from handlers.api_keys import OPERATIONS as API_KEYS
from handlers.auth import require_admin, require_metrics
from handlers.broker import broker_of
from handlers.metrics.exposition import CONTENT_TYPE, MEDIA_TYPE
from handlers.operations import Answer, Operation
from handlers.responses import PRIVATE
from handlers.timers import OPERATIONS as TIMERS


async def get_metrics(request: Request) -> Response:
    """The metrics of all processes of this server, in the text format of Prometheus."""
    text = await broker_of(request).meter.exposition()
    return Response(text, headers={"Cache-Control": PRIVATE, "Content-Type": CONTENT_TYPE})


ADMIN = (
    Operation(
        "GET",
        "/metrics",
        get_metrics,
        "Metrics",
        "metrics",
        {200: Answer("Prometheus text format 0.0.4", media_type=MEDIA_TYPE)},
        tag="operation",
    ),
    *TIMERS,
    *API_KEYS,
)
"""The operations, as they are on the admin listener."""


def for_admins(operation: Operation) -> Operation:
    """The operation as it is on the server's own address: for callers with the scope that its access names.

    The right is checked before anything is read, and again with each part of a body, which may be sent slowly.
    """
    require = require_metrics if operation.access == "metrics" else require_admin

    @wraps(operation.handler)
    async def guarded(request: Request) -> ASGIApp:
        require(request)
        return await operation.handler(Request(request.scope, _receiving(request, require)))

    return replace(operation, handler=guarded)


def _receiving(request: Request, require: Callable[[Request], object]) -> Receive:
    async def receive() -> Message:
        message = await request.receive()
        require(request)
        return message

    return receive
