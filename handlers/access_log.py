"""One log line for each request, by an id by which a client can name it (`X-Request-Id`).

The line has the path but not the query, which may hold a token, and of an iCal feed's path not the token that is in it.
It is logged at debug, as a broker's polls would drown the rest; answers of 500 and above at warning.
"""

import logging
from time import perf_counter

from starlette.types import Scope

from handlers.serving.detach import at_end

FEEDS = "/ical/"
logger = logging.getLogger("tidemark.access")


def note(scope: Scope, status: int, request_id: str, begun_s: float) -> None:
    """A request has ended, or its socket goes on without it: then the line comes at the socket's end."""
    level = logging.WARNING if status >= 500 else logging.DEBUG
    if logger.isEnabledFor(level):
        at_end(scope, lambda: _write(level, scope, status, request_id, perf_counter() - begun_s))


def _write(level: int, scope: Scope, status: int, request_id: str, seconds: float) -> None:
    fields = {
        "method": scope.get("method", "GET"),
        "path": FEEDS if scope["path"].startswith(FEEDS) else scope["path"],
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "request_id": request_id,
    }
    logger.log(level, "answered", extra={"fields": fields})
