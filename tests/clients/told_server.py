"""A server that follows one script a request: WebSockets that send and close, refusals, and pages."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.clients.cases import ulid

Script = Callable[[ServerConnection], Awaitable[None]]


def text(number: int) -> str:
    return json.dumps({"id": ulid(number), "data": number})


def send(*numbers: int, code: int = 1012, reason: str = "restart") -> Script:
    """Send these events, then close."""

    async def script(socket: ServerConnection) -> None:
        for number in numbers:
            await socket.send(text(number))
        await socket.close(code, reason)

    return script


def say(frame: str | bytes) -> Script:
    """Send this frame, and stay."""

    async def script(socket: ServerConnection) -> None:
        await socket.send(frame)
        await socket.wait_closed()

    return script


async def drop(socket: ServerConnection) -> None:
    """Break the connection without a word."""
    socket.transport.abort()


async def stall(socket: ServerConnection) -> None:
    """Say nothing, also to a close."""
    socket.transport.pause_reading()
    await socket.wait_closed()


def page(*numbers: int, cursor: int, complete: bool = True) -> dict[str, Any]:
    """A page of these events."""
    events = [{"id": ulid(number), "data": number} for number in numbers]
    oldest = {} if complete else {"oldest": ulid(numbers[0])}
    return {"events": events, "cursor": ulid(cursor), "has_more": False, "complete": complete, **oldest}


class Told:
    """The server: what it was asked, and where it listens."""

    def __init__(self, scripts: tuple[Script | int | dict[str, Any], ...]) -> None:
        self._scripts = iter(scripts)
        self._script: Script | None = None
        self.paths: list[str] = []
        self.tokens: list[str | None] = []
        self.url = ""

    def judge(self, _: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        self.tokens.append(request.headers.get("Authorization"))
        script = next(self._scripts)
        if isinstance(script, int):
            return _answer(script, {"error": "said no"}, {"Retry-After": "0"})
        if isinstance(script, dict):
            return _answer(200, script, {"Cache-Control": "public, s-maxage=2"})
        self._script = script
        return None

    async def talk(self, socket: ServerConnection) -> None:
        assert self._script is not None
        await self._script(socket)

    @property
    def cursors(self) -> list[str]:
        return [path.partition("cursor=")[2].partition("&")[0] for path in self.paths]


def _answer(status: int, body: dict[str, Any], headers: dict[str, str]) -> Response:
    content = json.dumps(body).encode()
    more = {"Content-Length": str(len(content)), "Connection": "close", **headers}
    return Response(status, HTTPStatus(status).phrase, Headers(more), content)


@asynccontextmanager
async def told(*scripts: Script | int | dict[str, Any]) -> AsyncIterator[Told]:
    server = Told(scripts)
    async with serve(server.talk, "127.0.0.1", 0, process_request=server.judge, close_timeout=0.2) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server
