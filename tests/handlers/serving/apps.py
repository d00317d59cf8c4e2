"""Small ASGI apps for the tests of the edge, and a reader of the answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class EdgeApp:
    """Answers what it was sent; what the path says more is in the methods below.

    `requests` are the requests that reached the app, `gone` the paths whose client went away, `closes` the codes with
    which sockets ended. `/hold` waits for `release`.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.gone: list[str] = []
        self.closes: list[int] = []
        self.messages: list[Any] = []
        self.release = asyncio.Event()
        self.accept = asyncio.Event()
        self.accept.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
        elif scope["type"] == "http":
            await self.http(scope, receive, send)
        else:
            await self.socket(scope, receive, send)

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append((scope["method"], scope["path"]))
        if scope["path"] == "/hold":
            await self.hold(receive)
        body = b"" if scope["path"] == "/unread" else await self.read(scope, receive)
        if body is None:
            return
        if scope["path"] == "/stream":
            await self.stream(receive, send)
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        shown = json.dumps({"method": scope["method"], "headers": headers, "body": len(body)}).encode()
        answer_headers = [(b"content-length", b"%d" % len(shown))]
        if scope["path"] == "/close":
            answer_headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": answer_headers})
        await send({"type": "http.response.body", "body": shown})

    async def hold(self, receive: Receive) -> None:
        """Answer only when released, without looking at the body."""
        await self.release.wait()

    async def read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, None when the client goes away before its end."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.append(scope["path"])
                return None
            body += message.get("body", b"")
            if not message.get("more_body"):
                return bytes(body)

    async def stream(self, receive: Receive, send: Send) -> None:
        """Begin an answer and never end it."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.append("/stream")

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept when told to, echo text, and close with the code that a message asks for."""
        self.requests.append(("SOCKET", scope["path"]))
        await receive()
        await self.accept.wait()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.messages.append(message.get("text") or message.get("bytes"))
            text = message.get("text") or ""
            if text.startswith("close "):
                await send({"type": "websocket.close", "code": int(text[6:]), "reason": "asked"})
            else:
                await send({"type": "websocket.send", "text": text})
        self.closes.append(message["code"])


def app_of(act: Callable[[Scope, Receive, Send], Awaitable[None]]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An app that does this for each request and socket."""
    lifespan = EdgeApp()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (lifespan if scope["type"] == "lifespan" else act)(scope, receive, send)

    return app


class Answer(NamedTuple):
    """One HTTP response as it stood on the wire; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def parse_answers(raw: bytes) -> list[Answer]:
    """All responses in these bytes, each with a Content-Length or none at all; raises on anything else."""
    answers = []
    while raw:
        head, _, raw = raw.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        assert line.startswith("HTTP/1.1 "), raw
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
        length = int(headers.get("content-length", "0"))
        assert len(raw) >= length, (head, raw)
        answers.append(Answer(int(line[9:12]), headers, raw[:length]))
        raw = raw[length:]
    return answers


def refusal_of(raw: bytes) -> tuple[int, str]:
    """The one refusal in these bytes: status and text; it has what every refusal has."""
    (answer,) = parse_answers(raw)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["connection"] == "close"
    assert answer.headers["date"].endswith(" GMT")
    return answer.status, json.loads(answer.body)["error"]
