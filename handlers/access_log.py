"""One log line for each request, an id by which a client can name it (`X-Request-Id`), and a count of the errors.

The line has the path but not the query, which may hold a token. It is logged at debug, as a broker's polls would drown
the rest; answers of 500 and above at warning.
"""

import logging
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.serving.detach import at_end
from handlers.serving.refusals import Refusals

STARTS = {
    "http.response.start": None,
    "websocket.http.response.start": None,
    "websocket.accept": 101,
    "websocket.close": 403,
}
"""Messages that begin an answer, and the status of those that do not say it."""

logger = logging.getLogger("tidemark.access")


class AccessLog:
    """ASGI middleware, to be the outermost one."""

    def __init__(self, app: ASGIApp, refusals: Refusals) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and log how it ended."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        begun = time.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if status == 0 and message["type"] in STARTS:
                status = STARTS[message["type"]] or message["status"]
                if status >= 400:
                    self._refusals.count_answer(status)
                if message["type"] != "websocket.close":
                    message.setdefault("headers", [])
                    MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            level = logging.WARNING if status >= 500 else logging.DEBUG
            if logger.isEnabledFor(level):
                at_end(scope, lambda: _write(level, scope, status, request_id, time.monotonic() - begun))


def _write(level: int, scope: Scope, status: int, request_id: str, seconds: float) -> None:
    fields = {
        "method": scope.get("method", "GET"),
        "path": scope["path"],
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "request_id": request_id,
    }
    logger.log(level, "answered", extra={"fields": fields})
