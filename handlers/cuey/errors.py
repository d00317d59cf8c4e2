"""The error body of cuey: `{"error": {"message", "code", "details"?}}` (contract section 3). Pure.

The client of this API gives typed errors for 400, 401 and 404 only, so what other APIs answer by another status of the
callers' making is one of these three here.
"""

from collections.abc import Mapping
from typing import Any

CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 404: "NOT_FOUND", 405: "BAD_REQUEST", 429: "RATE_LIMITED"}
OTHERWISE = "INTERNAL_SERVER_ERROR"
STATUSES = {403: 401, 409: 400, 410: 400, 411: 400, 413: 400, 414: 400, 415: 400, 422: 400}
"""What refuses a request in general, in the statuses that the client knows."""


def render_error(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error."""
    status = STATUSES.get(status, status)
    error: dict[str, Any] = {"message": message, "code": CODES.get(status, OTHERWISE)}
    own = {name: extra[name] for name in ("code", "details") if extra.get(name) is not None}
    return status, {"error": {**error, **own}}
