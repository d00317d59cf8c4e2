"""A detached socket: its coroutine is gone, and everything else goes on."""

import asyncio
import gc
import tracemalloc
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from handlers.serving.detach import Detached, at_end, detach_of
from handlers.serving.limits import ServingLimits
from handlers.serving.raw_text import text_frames
from tests.handlers.serving.apps import EdgeApp
from tests.handlers.serving.test_frames import shake
from tests.serving_app import Running, raw_client, running_server, until


class Hall:
    """An app that lets go of every socket; `told` is what their listeners heard, `ended` who counted what is open."""

    def __init__(self) -> None:
        self.sockets: list[Detached] = []
        self.told: list[str] = []
        self.ended = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await EdgeApp()(scope, receive, send)
            return
        try:
            await receive()
            await send({"type": "websocket.accept"})
            detach = detach_of(scope)
            assert detach is not None
            self.sockets.append(detach(self))
        finally:
            at_end(scope, self.count)

    def count(self) -> None:
        self.ended += 1

    def full(self) -> None:
        self.told.append("full")

    def room(self) -> None:
        self.told.append("room")

    def over(self) -> None:
        self.told.append("over")


def tasks(running: Running) -> int:
    return len(running.server.server_state.tasks)


async def test_its_coroutine_ends_and_what_is_written_arrives() -> None:
    hall = Hall()
    async with running_server(hall) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as client:
            await until(lambda: hall.sockets and not tasks(running))
            assert hall.ended == 0
            hall.sockets[0].write(text_frames([b"one", b"two"]))
            assert [await client.recv(), await client.recv()] == ["one", "two"]
        await running.settled()
    assert (hall.told, hall.ended) == (["over"], 1)


async def test_what_its_client_sends_is_read_and_dropped_and_pings_are_answered() -> None:
    hall = Hall()
    async with running_server(hall) as running, connect(f"{running.socket_url}/", proxy=None) as client:
        for text in ("a", "b", "c"):
            await client.send(text)
        await asyncio.wait_for(await client.ping(), 5)
        assert hall.told == []


async def test_a_close_says_its_code_behind_what_was_written_and_the_listener_is_told_no_more() -> None:
    hall = Hall()
    async with running_server(hall) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as client:
            await until(lambda: hall.sockets)
            hall.sockets[0].write(text_frames([b"last"]))
            hall.sockets[0].close(4410, "cursor expired")
            assert await client.recv() == "last"
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert (client.close_code, client.close_reason) == (4410, "cursor expired")
        await running.settled()
    assert (hall.told, hall.ended) == ([], 1)


async def test_a_peer_that_does_not_read_is_told_as_full_and_then_as_room() -> None:
    hall = Hall()
    limits = ServingLimits(send_buffer_bytes=8_192, write_buffer_bytes=32_768)
    async with (
        running_server(hall, limits) as running,
        connect(f"{running.socket_url}/", proxy=None, compression=None, max_queue=1, max_size=None) as client,
    ):
        await until(lambda: hall.sockets)
        client.transport.pause_reading()
        texts = 0
        while not hall.sockets[0].is_full:
            hall.sockets[0].write(text_frames([b"x" * 30_000]))
            texts += 1
            await asyncio.sleep(0)
        assert hall.told == ["full"]
        client.transport.resume_reading()
        for _ in range(texts):
            assert len(await client.recv()) == 30_000
        await until(lambda: hall.told == ["full", "room"])
        assert not hall.sockets[0].is_full


async def test_a_peer_that_breaks_a_rule_is_closed_and_the_listener_told_once() -> None:
    hall = Hall()
    async with running_server(hall, ServingLimits(linger_s=0.2)) as running:
        async with raw_client(running.port) as client:
            await shake(client)
            await client.send(b"\x81\x05hello")
            await client.read_to_end()
        await running.settled()
        assert running.counts == {"frame_malformed": 1}
    assert (hall.told, hall.ended) == (["over"], 1)


async def test_a_listener_that_fails_at_the_end_keeps_no_place(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Hall):
        def over(self) -> None:
            super().over()
            raise ValueError("a defect")

    hall = Failing()
    async with running_server(hall) as running:
        async with raw_client(running.port) as client:
            await shake(client)
            await until(lambda: hall.sockets)
        await running.settled()
    assert hall.told == ["over"]
    caplog.clear()


async def test_without_the_extension_an_end_is_told_at_once() -> None:
    ended: list[bool] = []
    at_end({"type": "http"}, lambda: ended.append(True))
    assert ended == [True] and detach_of({"type": "websocket"}) is None


async def test_an_idle_socket_holds_few_bytes_of_ours() -> None:
    """A guard figure: what the source of the edge holds in Python objects for one more idle socket."""
    hall, count = Hall(), 100
    ours = [tracemalloc.Filter(True, "*/handlers/*"), tracemalloc.Filter(True, "*/uvicorn/*")]
    limits = ServingLimits(connections_per_address=1_000)
    async with running_server(hall, limits) as running, AsyncExitStack() as stack:
        tracemalloc.start(1)
        try:
            for _ in range(count):
                await shake(await stack.enter_async_context(raw_client(running.port)))
            await until(lambda: len(hall.sockets) == count and not tasks(running))
            gc.collect()
            held = tracemalloc.take_snapshot().filter_traces(ours).statistics("filename")
        finally:
            tracemalloc.stop()
    assert sum(stat.size for stat in held) / count < 2_500
