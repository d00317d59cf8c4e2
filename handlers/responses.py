"""Writing answers: JSON, and refusals in the envelope of the channels API."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from broker.errors import Refusal
from broker.strictjson import render_json

PRIVATE = "private, no-store"
READ_ONLY = "GET, HEAD"
"""What static files allow; Starlette does not say so in its 405."""


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return json_bytes(render_json(value), status, headers)


def json_bytes(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer whose bytes are ready."""
    return Response(body, status, headers, media_type="application/json")


def no_content() -> Response:
    """204: done, nothing to say."""
    return Response(status_code=204)


def refusal_answer(refusal: Refusal) -> Response:
    """The answer that tells of a refusal: `{"error": text, ...}` with its status."""
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.status in (401, 403):
        headers["Cache-Control"] = PRIVATE
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return json_answer({"error": refusal.message, **refusal.extra}, refusal.status, headers)


async def on_expected(_: HTTPConnection, error: Exception) -> Response:
    """Starlette's handler for refusals, and for its own 404, 405 and the like."""
    match error:
        case Refusal():
            return refusal_answer(error)
        case HTTPException():
            headers = dict(error.headers or {})
            if error.status_code == 405:
                headers.setdefault("Allow", READ_ONLY)
            return json_answer({"error": error.detail}, error.status_code, headers)
        case _:
            raise error
