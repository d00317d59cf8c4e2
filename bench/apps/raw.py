"""The least that a publish can be in Python: parse the body, render the answer; and plain text for a GET."""

from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from broker.ids import Position, render_tag, render_time, render_ulid

LETTERS = render_tag(1)
MS = 1_736_933_401_000
HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
PLAIN = b"ok\n"


async def raw_app(scope: Scope, receive: Receive, send: Send) -> None:
    """POST: 201 with the event as Tidemark answers it, but stored nowhere. Anything else: plain text."""
    if scope["type"] != "http":
        raise RuntimeError(f"this app does not serve {scope['type']}")
    if scope["method"] == "POST":
        await _answer(send, 201, _event(await _body(receive)))
    else:
        await _answer(send, 200, PLAIN)


def _event(body: bytes) -> bytes:
    event: dict[str, Any] = orjson.loads(body)
    rendered: bytes = orjson.dumps(
        {
            "id": render_ulid(LETTERS, Position(MS, 0)),
            "created_at": render_time(MS),
            "channel_id": "bench",
            "type": event.get("type"),
            "data": event["data"],
            "publisher_id": "bench",
        }
    )
    return rendered


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body"):
            return body


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [*HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
