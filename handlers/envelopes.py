"""Error bodies: each API has its own, and whatever refuses a request, it is told in that of the API that was called.

The table is the composition root's (`app.state.envelopes`): the beginnings of paths, and how their errors are rendered.
All other paths have the body of the channels API, `{"error": text, ...}`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import Scope

Envelope = Callable[[int, str, Mapping[str, Any]], tuple[int, Any]]
"""From a status, a text and further members to the status and the JSON body that the API has for them."""


def render_plain(status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, Any]:
    """The error body of the channels API."""
    return status, {"error": message, **extra}


def error_of(scope: Scope, status: int, message: str, extra: Mapping[str, Any]) -> tuple[int, Any]:
    """The status and the body of an error on this request."""
    status, body = envelope_of(scope)(status, message, extra)
    return status, with_request_id(scope, body)


def with_request_id(scope: Scope, body: Any) -> Any:
    """The body with the id of the request, where the API's errors have a place for it that is still empty."""
    match body:
        case {"error": {"request_id": None, **error}}:
            return {**body, "error": {**error, "request_id": f"req_{scope.get('tidemark.request_id', 'unknown')}"}}
        case _:
            return body


def envelope_of(scope: Scope) -> Envelope:
    """How errors of the API that was called are rendered."""
    known: Mapping[str, Envelope] = getattr(scope["app"].state, "envelopes", {})
    path = scope["path"]
    for beginning, envelope in known.items():
        if path == beginning or path.startswith(f"{beginning}/"):
            return envelope
    return render_plain
