"""The error body of the lifecycle API, with the canonical codes that its path style suggests (contract 6). Pure.

A refusal of the engine or of the server becomes `{"code", "message", "details"}` by its status, where it has no code.
"""

from collections.abc import Mapping
from typing import Any

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


def render_error(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error: an Idempotency-Key that came with another body is 409 here."""
    if status == KEY_REUSED:
        status, extra = 409, {**extra, "code": "already_exists"}
    code = extra.get("code") or CODES.get(status, "internal")
    return status, {"code": code, "message": message, "details": list(extra.get("details", ()))}
