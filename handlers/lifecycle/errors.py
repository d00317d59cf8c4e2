"""The error body of the lifecycle API, with the canonical codes that its path style suggests (contract 6). Pure.

A refusal of the engine or of the server becomes `{"code", "message", "details"}` by its status, where it has no code.
"""

from collections.abc import Mapping
from typing import Any

from handlers.error_codes import ErrorCode

CODES = {
    400: "invalid_argument",
    401: "unauthenticated",
    403: "permission_denied",
    404: "unimplemented",
    405: "unimplemented",
    409: "failed_precondition",
    413: "invalid_argument",
    429: "resource_exhausted",
    500: "internal",
    503: "unavailable",
}
"""404 without a code is a method that there is not; an event that there is not says `not_found`."""

KEY_REUSED = 422
ERRORS = (
    ErrorCode(
        "invalid_argument",
        (400, 413),
        "a body that is malformed, has bad values, means everything or nothing, or is too large",
    ),
    ErrorCode("unauthenticated", (401,), "no key, or one that is not known or revoked"),
    ErrorCode("permission_denied", (403,), "a credential without the scope `lifecycle`"),
    ErrorCode("not_found", (404,), "ids that the tenant has no events with; all of them are listed"),
    ErrorCode("unimplemented", (404, 405), "an unknown call, or another method than POST"),
    ErrorCode(
        "already_exists",
        (409,),
        "Create with the id of an event of other content; an Idempotency-Key that came with another body",
    ),
    ErrorCode("failed_precondition", (409,), "an event whose status does not allow the call"),
    ErrorCode("resource_exhausted", (429,), "too many requests, or too many open events"),
    ErrorCode("internal", (500,), "a defect of the server"),
    ErrorCode("unavailable", (503,), "nothing was done, or it is not known: send it again with its Idempotency-Key"),
)
_WORDS = frozenset(each.code for each in ERRORS)


def render_error(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error: an Idempotency-Key that came with another body is 409 here.

    The engine's own codes are not this API's: what it refuses has the code of its status.
    """
    if status == KEY_REUSED:
        status, extra = 409, {**extra, "code": "already_exists"}
    word = extra.get("code")
    code = word if word in _WORDS else CODES.get(status, "internal")
    return status, {"code": code, "message": message, "details": list(extra.get("details", ()))}
