"""Writing answers: JSON, refusals in the envelope of the API that was called, and the headers that every answer has.

Nothing leaves without Cache-Control: what a route does not say is `no-store`, and `private` too where a credential came
with the request (design section 6).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.errors import Refusal
from broker.strictjson import render_json
from handlers.caching import has_credential
from handlers.envelopes import error_of

PRIVATE = "private, no-store"
READ_ONLY = "GET, HEAD"
"""What static files allow; Starlette does not say so in its 405."""
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}
EXPOSED = "Content-Location, ETag, Retry-After, Idempotency-Replayed, X-Request-Id, Tidemark-Channel, Tidemark-Cursor"


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return json_bytes(render_json(value), status, headers)


def json_bytes(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer whose bytes are ready."""
    return Response(body, status, headers, media_type="application/json")


def no_content() -> Response:
    """204: done, nothing to say."""
    return Response(status_code=204)


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


class StandardHeaders:
    """ASGI middleware: Cache-Control and CORS on every answer, and the answers to CORS preflights.

    CORS is the constant `*` and nothing varies by Origin, so that an edge keeps one copy; there are no cookies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, adding headers to the start of the answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # Nothing is served in parts, which RFC 9110 14.2 allows; Starlette's refusals of bad ranges are plain text.
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
        headers = Headers(scope=scope)
        is_own = has_credential(headers, scope["query_string"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                answer = MutableHeaders(scope=message)
                answer.setdefault("Cache-Control", PRIVATE if is_own else "no-store")
                answer["Access-Control-Allow-Origin"] = "*"
                answer["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        if scope["type"] == "http" and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)
