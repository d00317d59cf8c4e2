"""The error body of the live events API (contract section 6). Pure.

`error` is for those who read the documented envelope, `detail` for the vendor's client, which reads that first.
"""

from collections.abc import Mapping
from typing import Any

CODES = {
    400: "INVALID_REQUEST",
    401: "AUTH_FAILED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "TOO_LARGE",
    429: "RATE_LIMITED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
KEY_REUSED = 422


def render_error(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error; `beside` of the refusal are members beside it, such as `verified: false`.

    An Idempotency-Key that came with another body is 409 here.
    """
    if status == KEY_REUSED:
        status, extra = 409, {**extra, "code": "IDEMPOTENCY_KEY_REUSED"}
    code = str(extra.get("code") or CODES.get(status, "INTERNAL"))
    error = {"code": code.upper(), "message": message, "details": extra.get("details", [])}
    return status, {"error": error, "detail": message, **extra.get("beside", {})}
