"""The error body of calendars: `{"error": {"type", "message", "param", "request_id", ...}}` (contract 3.3). Pure.

`code` is the sub-code of a conflict, and the first word of its message. The edge fills in the id of the request.
"""

from collections.abc import Mapping
from typing import Any

from handlers.error_codes import ErrorCode

TYPES = {
    400: "validation_error",
    401: "authentication_error",
    403: "forbidden",
    404: "not_found",
    405: "validation_error",
    409: "conflict",
    413: "validation_error",
    429: "rate_limit_error",
}
OTHERWISE = "internal_error"
STATUSES = {422: 409}
"""An Idempotency-Key that came with another body is a conflict here."""

ERRORS = (
    ErrorCode("validation_error", (400, 405, 413), "a member or parameter is wrong: `param` names it; too large"),
    ErrorCode("invalid_transition", (400,), "a PATCH of an active hold"),
    ErrorCode("authentication_error", (401,), "no key, or one that is not known"),
    ErrorCode("forbidden", (403,), "an event of a feed; an agent's key where the organisation's is needed"),
    ErrorCode("not_found", (404,), "not there, or another organisation's"),
    ErrorCode("conflict", (409,), "an Idempotency-Key that came with another body; else see `code`"),
    ErrorCode("hold_conflict", (409,), "`hold` blocks it; `channel` and `cursor` say where to wait", "conflict"),
    ErrorCode("hold_expired", (409,), "the hold ended before by itself, or by a stronger one", "conflict"),
    ErrorCode("not_a_hold", (409,), "only a hold is confirmed or released", "conflict"),
    ErrorCode("paused", (409,), "the iCal subscription is not active", "conflict"),
    ErrorCode("webhook_inactive", (409,), "what is not active sends nothing", "conflict"),
    ErrorCode("quota_exceeded", (429,), "as many as [limits](limits.md) allow are there; no use to wait"),
    ErrorCode("rate_limit_error", (429,), "too many requests with one key or from one address (`[rates]`)"),
    ErrorCode("internal_error", (500, 503), "a defect; nothing was done, or it is not known: send it again"),
)
"""What `type` may be; those within another one are its `code`."""


def render_error(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error."""
    status = STATUSES.get(status, status)
    code = extra.get("code")
    kind = extra.get("type") or TYPES.get(status, OTHERWISE if status >= 500 else "validation_error")
    more = {name: extra[name] for name in ("hold", "channel", "cursor") if name in extra}
    error = {
        "type": kind,
        "message": f"{code}: {message}" if code else message,
        "param": extra.get("param"),
        "request_id": None,
        **({"code": code} if code else {}),
        **more,
    }
    return status, {"error": error}
