"""The limit server is a WebSocket server, as the `websockets` client sees it, and sends what Tidemark would."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

from bench.event import DATA, around_data, publish_body, wire_event
from bench.native import Tools
from bench.processes import running

PATIENCE_S = 20


@pytest.fixture
async def port(checked_tools: Tools, tmp_path: Path) -> AsyncIterator[int]:
    words = [checked_tools.limit_server, *(part.decode() for part in around_data())]
    log = tmp_path / "log"
    with running(words, 0, log) as child:
        yield child.read_port()
    assert log.read_text() == ""


def follow(port: int, path: str = "/") -> connect:
    return connect(f"ws://127.0.0.1:{port}{path}", proxy=None, compression=None)


async def publish(port: int, body: bytes) -> int:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return (await http.post(f"http://127.0.0.1:{port}/", content=body)).status_code


async def received(socket: ClientConnection) -> str | bytes:
    return await asyncio.wait_for(socket.recv(), PATIENCE_S)


async def test_every_socket_gets_the_event_in_the_bytes_of_tidemark(port: int) -> None:
    async with follow(port) as one, follow(port) as other:
        assert await publish(port, publish_body()) == 201
        assert await received(one) == await received(other) == wire_event().decode()


@pytest.mark.parametrize("size", [0, 100, 70_000])
async def test_frames_of_every_length_are_whole(port: int, size: int) -> None:
    text = "x" * size
    async with follow(port) as socket:
        assert await publish(port, b'{"data":%b}' % orjson.dumps(text)) == 201
        assert orjson.loads(await received(socket))["data"] == text


async def test_a_socket_that_replays_gets_what_was_before_it(port: int) -> None:
    for price in (1, 2):
        await publish(port, b'{"data":%d}' % price)
    async with follow(port, "/replay") as socket:
        await publish(port, b'{"data":3}')
        assert [orjson.loads(await received(socket))["data"] for _ in range(3)] == [1, 2, 3]


async def test_sockets_that_leave_do_not_disturb_the_others(port: int) -> None:
    async with follow(port) as stays:
        for _ in range(3):
            async with follow(port):
                pass
        assert await publish(port, publish_body()) == 201
        assert await received(stays) == wire_event().decode()


async def test_a_body_without_data_is_refused(port: int) -> None:
    assert await publish(port, b'{"price":1}') == 400


def test_the_event_has_200_bytes() -> None:
    assert len(wire_event()) == 200
    assert wire_event().count(DATA) == 1
