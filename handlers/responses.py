"""Writing answers: JSON, and refusals in the envelope of the API that was called."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from broker.errors import Refusal
from broker.strictjson import render_json
from handlers.envelopes import error_of
from handlers.serving.whole_answer import WHOLE, parse_lines, render_lines, takes_whole

PRIVATE = "private, no-store"
READ_ONLY = "GET, HEAD"
"""What static files allow; Starlette does not say so in its 405."""


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return json_bytes(render_json(value), status, headers)


def json_bytes(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer whose bytes are ready."""
    return Response(body, status, headers, media_type="application/json")


class ReadyAnswer:
    """An answer whose header lines and body are ready: an ASGI app, for what is answered most."""

    __slots__ = ("body", "lines", "status_code")

    def __init__(self, status_code: int, lines: bytes, body: bytes) -> None:
        self.status_code = status_code
        self.lines = lines
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, at once where the server takes that."""
        if takes_whole(scope):
            await send({"type": WHOLE, "status": self.status_code, "lines": self.lines, "body": self.body})
        else:
            headers = parse_lines(self.lines)
            await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": self.body})


def ready_json(body: bytes, status: int, own_lines: bytes = b"") -> ReadyAnswer:
    """A ready JSON answer; `own_lines` are further header lines, as `whole_answer` wants them."""
    lines = b"%bcontent-type: application/json\r\ncontent-length: %d\r\n" % (own_lines, len(body))
    return ReadyAnswer(status, lines, body)


def ready(answer: Response) -> ReadyAnswer:
    """The same answer, ready to be given many times."""
    return ReadyAnswer(answer.status_code, render_lines(answer.raw_headers), bytes(answer.body))


def refusal_answer(refusal: Refusal, scope: Scope) -> Response:
    """The answer that tells of a refusal, in the envelope of the API that was called."""
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    return error_answer(scope, refusal.status, refusal.message, refusal.extra, headers)


def error_answer(
    scope: Scope,
    status: int,
    message: str,
    extra: Mapping[str, Any] = MappingProxyType({}),
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """An error, in the envelope of the API that was called."""
    status, body = error_of(scope, status, message, extra)
    own = dict(headers)
    if status in (401, 403):
        own["Cache-Control"] = PRIVATE
    if status == 401:
        own["WWW-Authenticate"] = "Bearer"
    return json_answer(body, status, own)


async def on_expected(connection: HTTPConnection, error: Exception) -> Response:
    """Starlette's handler for refusals, and for its own 404, 405 and the like."""
    match error:
        case Refusal():
            return refusal_answer(error, connection.scope)
        case HTTPException():
            headers = dict(error.headers or {})
            if error.status_code == 405:
                headers.setdefault("Allow", READ_ONLY)
            return error_answer(connection.scope, error.status_code, error.detail, headers=headers)
        case _:
            raise error
