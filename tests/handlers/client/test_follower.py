"""Following across connections that end in every way: one cursor, each event once, a word for what happened.

Against a WebSocket server that is told what to do; against the real one in `tests/flows/test_tail_command.py`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from handlers.client.api import Refused
from handlers.client.endings import Cut, Ended
from handlers.client.follower import Follower, Following
from handlers.client.server_url import ServerUrl

START = "01M8AD6V5177ERCVF2V0000000"
Script = Callable[[ServerConnection], Awaitable[None]]


def ulid(number: int) -> str:
    return f"{START[:-4]}{number:04d}"


def text(number: int) -> str:
    return json.dumps({"id": ulid(number), "data": number})


def send(*numbers: int, code: int = 1012, reason: str = "restart") -> Script:
    """Send these events, then close."""

    async def script(socket: ServerConnection) -> None:
        for number in numbers:
            await socket.send(text(number))
        await socket.close(code, reason)

    return script


async def drop(socket: ServerConnection) -> None:
    """Break the connection without a word."""
    socket.transport.abort()


class Told:
    """A server that follows one script a connection, and what it was asked."""

    def __init__(self, scripts: tuple[Script | int, ...]) -> None:
        self._scripts = iter(scripts)
        self._script: Script | None = None
        self.paths: list[str] = []
        self.tokens: list[str | None] = []
        self.said: list[str] = []
        self.url = ""

    def judge(self, _: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        self.tokens.append(request.headers.get("Authorization"))
        script = next(self._scripts)
        if isinstance(script, int):
            body = b'{"error": "said no"}'
            headers = {"Retry-After": "0", "Content-Length": str(len(body))}
            return Response(script, HTTPStatus(script).phrase, Headers(headers), body)
        self._script = script
        return None

    async def talk(self, socket: ServerConnection) -> None:
        assert self._script is not None
        await self._script(socket)

    def follower(self, **changes: Any) -> Follower:
        following = Following(ServerUrl.parse(self.url), "news", None, lambda: "t")
        return Follower(following._replace(**changes), START, self.said.append)


@asynccontextmanager
async def told(*scripts: Script | int) -> AsyncIterator[Told]:
    server = Told(scripts)
    async with serve(server.talk, "127.0.0.1", 0, process_request=server.judge) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


async def take(follower: Follower, count: int) -> list[int]:
    taken = []
    async with asyncio.timeout(20), aclosing(follower.events()) as events:
        async for event in events:
            taken.append(event.fields["data"])
            if len(taken) == count:
                break
    return taken


async def test_it_comes_back_after_the_last_event_whatever_broke() -> None:
    async with told(send(1, 2), drop, send(3, code=1011), 503, send(4, code=1013), send(5, 6)) as server:
        assert await take(server.follower(), 6) == [1, 2, 3, 4, 5, 6]
    cursors = [path.partition("cursor=")[2] for path in server.paths]
    assert cursors == [START, *(ulid(number) for number in (2, 2, 3, 3, 4))]
    assert server.said[0] == f"The server closed the connection (1012 restart); resuming after {ulid(2)}"
    assert server.said[1] == f"The connection broke; resuming after {ulid(2)}"
    assert server.said[3] == f"said no (503); resuming after {ulid(3)}"


async def test_an_event_that_comes_again_is_taken_once() -> None:
    async with told(send(1, 2), send(1, 2, 3, 3, 4)) as server:
        assert await take(server.follower(), 4) == [1, 2, 3, 4]


async def test_the_cursor_of_a_close_reason_is_taken_where_no_event_moved_it() -> None:
    async with told(send(code=1012, reason=f"restart; cursor={ulid(7)}"), send(8)) as server:
        assert await take(server.follower(types="a"), 1) == [8]
    assert server.paths[1].endswith(f"/ws?cursor={ulid(7)}&types=a")


async def test_after_a_gap_it_goes_on_where_it_is_told_also_further_back() -> None:
    gap = send(9, code=4410, reason=f"cursor expired; cursor={ulid(3)}")
    async with told(gap, send(4, 5)) as server:
        assert await take(server.follower(), 3) == [9, 4, 5]
    gap_said = f"There is a gap: events after {ulid(9)} are no longer kept; resuming after {ulid(3)}"
    assert server.said == [gap_said]


async def test_the_end_of_the_channel_ends_it() -> None:
    async with told(send(1, code=1000, reason="channel deleted")) as server:
        with pytest.raises(Ended):
            await take(server.follower(), 2)


@pytest.mark.parametrize("code", [1008, 4401, 4403, 4499])
async def test_a_reason_that_will_not_pass_cuts_it(code: int) -> None:
    async with told(send(1, code=code, reason="why")) as server:
        with pytest.raises(Cut, match=rf"why \({code}\)"):
            await take(server.follower(), 2)


async def test_an_expired_token_is_renewed_where_it_can_be() -> None:
    tokens = iter(["one", "two"])
    async with told(send(1, code=4401), send(2)) as server:
        assert await take(server.follower(token=lambda: next(tokens), is_renewable=True), 2) == [1, 2]
    assert server.tokens == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_that_will_not_pass_is_told(status: int) -> None:
    async with told(status) as server:
        with pytest.raises(Refused, match=rf"^said no \({status}\)$"):
            await take(server.follower(), 1)


@pytest.mark.parametrize("frame", ["{}", "hello", '{"id": 5}', b"\xff\xfe", "[1]", "null"])
async def test_a_server_of_another_kind_is_not_followed(frame: str | bytes) -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.send(frame)
        await socket.wait_closed()

    async with told(script) as server:
        with pytest.raises(Cut, match="no event"):
            await take(server.follower(), 1)


async def test_what_was_not_taken_is_not_passed_over() -> None:
    async with told(send(1, 2, 3)) as server:
        follower = server.follower()
        assert await take(follower, 2) == [1, 2]
        assert follower.cursor == ulid(1), "the second was given, and nobody came back to say that it was taken"
