"""The error body of calendars: `{"error": {"type", "message", "param", "request_id", ...}}` (contract 3.3). Pure.

`code` is the sub-code of a conflict, and the first word of its message. The edge fills in the id of the request.
"""

from collections.abc import Mapping
from typing import Any

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
