"""The headers that every answer has, and the answers to CORS preflights.

Nothing leaves without Cache-Control: what a route does not say is `no-store`, and `private` too where a credential came
with the request (design section 6). CORS is the constant `*` and nothing varies by Origin, so that an edge keeps one
copy; there are no cookies.
"""

from starlette.responses import Response
from starlette.types import Message, Scope

from handlers.serving.http_scope import first_headers
from handlers.serving.whole_answer import WHOLE

PREFLIGHT_ANSWER = Response(
    status_code=204,
    headers={
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID",
        "Access-Control-Max-Age": "86400",
    },
)
PRIVATE = b"private, no-store"
_OPEN = (b"access-control-allow-origin", b"*")
_EXPOSED = (
    b"access-control-expose-headers",
    b"Content-Location, ETag, Retry-After, Idempotency-Replayed, X-Request-Id, Tidemark-Channel, Tidemark-Cursor",
)
_ON_ALL = b"".join([b"%b: %b\r\n" % header for header in (_OPEN, _EXPOSED)])
_NOT_KEPT = {
    is_private: b"cache-control: %b\r\n%b" % (PRIVATE if is_private else b"no-store", _ON_ALL)
    for is_private in (False, True)
}
_ANSWERS = ("http.response.start", "websocket.http.response.start")


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks what a page of another origin may send."""
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    return b"access-control-request-method" in first_headers(scope)


def drop_range(scope: Scope) -> None:
    """Take Range from the headers of a request. Nothing is served in parts, which RFC 9110 14.2 allows; Starlette's
    refusals of bad ranges are plain text."""
    if first_headers(scope).pop(b"range", None) is not None:
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]


def standard_headers(message: Message, request_id: str, *, is_private: bool) -> None:
    """Add them to the message that begins an answer; those of a socket that opens have the request's id only."""
    if message["type"] == "websocket.close":
        return
    if message["type"] == WHOLE:
        lines: bytes = message["lines"]
        others = _ON_ALL if b"cache-control:" in lines else _NOT_KEPT[is_private]
        message["lines"] = b"%bx-request-id: %b\r\n%b" % (lines, request_id.encode(), others)
        return
    headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
    if message["type"] in _ANSWERS:
        if not any(name.lower() == b"cache-control" for name, _ in headers):
            headers.append((b"cache-control", PRIVATE if is_private else b"no-store"))
        headers += (_OPEN, _EXPOSED)
    message["headers"] = headers
