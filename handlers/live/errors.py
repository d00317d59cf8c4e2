"""The error body of the live events API (contract section 6). Pure.

`error` is for those who read the documented envelope, `detail` for the vendor's client, which reads that first.
"""

from collections.abc import Mapping
from typing import Any

from handlers.error_codes import ErrorCode

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
ERRORS = (
    ErrorCode("INVALID_REQUEST", (400,), "a body that is malformed or has members that are not known"),
    ErrorCode("WRONG_ACCESS_MODE", (400,), "a password for an event that is watched by token, or the like"),
    ErrorCode(
        "AUTH_FAILED",
        (401,),
        "no key, or none that is known, in `Authorization` or `X-API-Key`; a media server's secret",
    ),
    ErrorCode("FORBIDDEN", (403,), "a key without the scope `live`; a stream that a media server is to refuse or cut"),
    ErrorCode("PLAN_LIMIT", (403,), "more than the tenant's plan allows (`[live]`)"),
    ErrorCode("ACCESS_DENIED", (403,), "a wrong password or token, whatever is wrong about it; `verified: false`"),
    ErrorCode("GRANT_INVALID", (403,), "a grant that is not usable, or no more; `consumed: false`"),
    ErrorCode("NOT_FOUND", (404,), "no such event of this tenant; for viewers also a draft or a deleted one"),
    ErrorCode("METHOD_NOT_ALLOWED", (405,), "see `Allow`"),
    ErrorCode("CONFLICT", (409,), "the state does not allow it"),
    ErrorCode("WRONG_STATE", (409,), "the event's status does not allow it"),
    ErrorCode("SLUG_TAKEN", (409,), "the slug is another event's"),
    ErrorCode("REHEARSAL_DISABLED", (409,), "the event was made without `rehearsal_enabled`"),
    ErrorCode("IDEMPOTENCY_KEY_REUSED", (409,), "the Idempotency-Key came with another body before"),
    ErrorCode("TOO_LARGE", (413,), "the body is over its limit"),
    ErrorCode("RATE_LIMITED", (429,), "too many requests, failed verifications, or watch tokens of an event"),
    ErrorCode("INTERNAL", (500,), "a defect of the server"),
    ErrorCode("UNAVAILABLE", (503,), "nothing was done, or it is not known: send it again with its Idempotency-Key"),
)


def render_error(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error; `beside` of the refusal are members beside it, such as `verified: false`.

    An Idempotency-Key that came with another body is 409 here.
    """
    if status == KEY_REUSED:
        status, extra = 409, {**extra, "code": "IDEMPOTENCY_KEY_REUSED"}
    code = str(extra.get("code") or CODES.get(status, "INTERNAL"))
    error = {"code": code.upper(), "message": message, "details": extra.get("details", [])}
    return status, {"error": error, "detail": message, **extra.get("beside", {})}
