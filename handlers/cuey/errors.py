"""The error body of cuey: `{"error": {"message", "code", "details"?}}` (contract section 3). Pure.

The client of this API gives typed errors for 400, 401 and 404 only, so what other APIs answer by 403, 409 or the like
is one of these three here. 405 and 429 stay, and 416 is of a page that there is not (`listing`).
"""

from collections.abc import Mapping
from typing import Any

from handlers.error_codes import ErrorCode

CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 404: "NOT_FOUND", 405: "BAD_REQUEST", 429: "RATE_LIMITED"}
OTHERWISE = "INTERNAL_SERVER_ERROR"
STATUSES = {403: 401, 409: 400, 410: 400, 411: 400, 413: 400, 414: 400, 415: 400, 422: 400}
"""What refuses a request in general, in the statuses that the client knows."""

ERRORS = (
    ErrorCode("VALIDATION_ERROR", (400,), "members that are missing or bad; `details` are `{path, message}`"),
    ErrorCode(
        "BAD_REQUEST",
        (400, 405),
        "an event that is not pending (`details.currentStatus`) or is a cron's; a body that is no JSON or too large; "
        "an Idempotency-Key that came with another body; as many as [limits](limits.md) allow are there",
    ),
    ErrorCode("UNAUTHORIZED", (401,), "no key, one that is not known, or one without the scope `cuey`"),
    ErrorCode("NOT_FOUND", (404,), "no such event or cron of this team"),
    ErrorCode("RATE_LIMITED", (429,), "too many requests with one key or from one address (`[rates]`)"),
    ErrorCode(
        "INTERNAL_SERVER_ERROR", (416, 500, 503), "no such page; a defect; send it again with its Idempotency-Key"
    ),
)
_WORDS = frozenset(each.code for each in ERRORS)


def render_error(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error. The engine's own codes are not this API's, whose client knows its six."""
    status = STATUSES.get(status, status)
    word, details = extra.get("code"), extra.get("details")
    code = word if word in _WORDS else CODES.get(status, OTHERWISE)
    return status, {"error": {"message": message, "code": code, **({} if details is None else {"details": details})}}
