"""Peers that take nothing, or answer nothing: dropped in bounded time, and no sooner."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from handlers.serving.limits import ServingLimits
from handlers.serving.ws_protocol import SocketProtocol, Stage
from tests.handlers.serving.apps import EdgeApp, app_of
from tests.handlers.serving.test_frames import close_code, frames_in, shake
from tests.serving_app import Running, handshake, lazy_socket, raw_client, running_server, until

SMALL: dict[str, Any] = {"send_buffer_bytes": 8_192, "write_buffer_bytes": 32_768, "linger_s": 0.2}
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PART = b"x" * 4_000


class Talker(EdgeApp):
    """Sends without an end, to HTTP clients and to sockets; `most` is the fullest that a write buffer was."""

    def __init__(self, *, ends_after: int | None = None) -> None:
        super().__init__()
        self.ends_after = ends_after
        self.ended = asyncio.Event()
        self.sent = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        is_http = scope["type"] == "http"
        try:
            if is_http:
                headers = [] if self.ends_after is None else [(b"connection", b"close")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
            else:
                await receive()
                await send({"type": "websocket.accept"})
            talking = asyncio.create_task(self.talk(send, is_http=is_http))
            while not (await receive())["type"].endswith("disconnect"):
                pass
            talking.cancel()
            await asyncio.wait([talking])
        finally:
            self.ended.set()

    async def talk(self, send: Any, *, is_http: bool) -> None:
        while self.ends_after is None or self.sent < self.ends_after:
            if is_http:
                await send({"type": "http.response.body", "body": PART, "more_body": True})
            else:
                await send({"type": "websocket.send", "bytes": PART})
            self.sent += 1
            await asyncio.sleep(0)
        if is_http:
            await send({"type": "http.response.body"})


def connection_of(running: Running) -> Any:
    (connection,) = running.server.server_state.connections
    return connection


@asynccontextmanager
async def lazy(port: int, sent: bytes) -> AsyncIterator[socket.socket]:
    """A client that sends this and reads only when the test does."""
    sock = await lazy_socket(port)
    try:
        await asyncio.get_running_loop().sock_sendall(sock, sent)
        yield sock
    finally:
        sock.close()


async def until_full(running: Running) -> None:
    """Return when the server has stopped writing to its one client."""
    async with asyncio.timeout(10):
        sizes = [0]
        while sizes[-1] == 0 or sizes[-3:] != [sizes[-1]] * 3:
            await asyncio.sleep(0.03)
            sizes += [each.transport.get_write_buffer_size() for each in running.server.server_state.connections] or [0]


@pytest.mark.parametrize("sent", [GET, handshake()])
async def test_a_peer_that_takes_nothing_is_aborted_and_the_app_is_told(sent: bytes) -> None:
    app = Talker()
    async with running_server(app, ServingLimits(write_stall_s=0.6, **SMALL)) as running, lazy(running.port, sent):
        await until_full(running)
        assert connection_of(running).transport.get_write_buffer_size() <= 32_768 + len(PART) + 10
        await asyncio.wait_for(app.ended.wait(), 3)
        await running.settled()
        assert running.counts == {"write_stall": 1}


class Unseen:
    """A connection that cannot be looked at."""

    @property
    def transport(self) -> asyncio.Transport:
        raise RuntimeError("no transport")


async def test_a_look_that_fails_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    app, unseen = Talker(), Unseen()
    async with running_server(app, ServingLimits(write_stall_s=0.6, **SMALL)) as running, lazy(running.port, GET):
        connections: set[Any] = running.server.server_state.connections
        connections.add(unseen)
        await until(lambda: "looking for stalled connections failed" in caplog.text)
        connections.discard(unseen)
        caplog.clear()
        await asyncio.wait_for(app.ended.wait(), 5)
        assert running.counts == {"write_stall": 1}


async def test_a_peer_that_takes_a_byte_now_and_then_is_not_aborted() -> None:
    app = Talker()
    limits = ServingLimits(write_stall_s=1, **SMALL)
    async with running_server(app, limits) as running, lazy(running.port, GET) as sock:
        await until_full(running)
        loop = asyncio.get_running_loop()
        for _ in range(15):
            await loop.sock_recv(sock, 4_096)
            await asyncio.sleep(0.1)
        assert not app.ended.is_set()
        assert running.counts == {}


async def test_a_peer_whose_bytes_wait_in_the_kernel_only_is_dropped_by_the_kernel() -> None:
    """The server has nothing left to write, and so nothing to watch."""

    async def talk_once(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 60_000, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    limits = ServingLimits(write_stall_s=0.6)
    async with running_server(app_of(talk_once), limits) as running, lazy(running.port, GET):
        await until(lambda: running.server.server_state.connections)
        assert connection_of(running).transport.get_write_buffer_size() == 0
        await running.settled()
        assert running.counts == {"write_stall": 1}


async def test_an_answer_that_was_the_last_one_does_not_keep_its_connection_for_ever() -> None:
    """A `close` waits for its buffer to be taken."""
    app = Talker(ends_after=8)
    async with running_server(app, ServingLimits(write_stall_s=0.6, **SMALL)) as running, lazy(running.port, GET):
        await asyncio.wait_for(app.ended.wait(), 3)
        await running.settled()
        assert running.counts == {"write_stall": 1}


async def test_a_client_that_answers_pings_stays() -> None:
    limits = ServingLimits(ping_interval_s=0.1, pong_wait_s=0.4)
    async with running_server(EdgeApp(), limits) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as client:
            await asyncio.sleep(1)
            await client.send("hello")
            assert await client.recv() == "hello"
        assert running.counts == {}


async def test_an_idle_client_that_answers_no_ping_is_dropped_and_the_app_is_told() -> None:
    app = EdgeApp()
    limits = ServingLimits(ping_interval_s=0.1, pong_wait_s=0.2, linger_s=0.2)
    async with running_server(app, limits) as running, raw_client(running.port) as client:
        await shake(client)
        raw = await client.read_to_end()
        assert frames_in(raw)[0][0] == 9
        assert close_code(raw) == 1011
        assert running.counts == {"pong_late": 1}
    assert app.closes == [1006]


async def test_a_client_whose_pong_waits_behind_events_stays_as_long_as_it_takes_them() -> None:
    """A slow reader has the ping behind all that waits for it; it never comes to answer here."""
    app = Talker()
    limits = ServingLimits(ping_interval_s=0.1, pong_wait_s=0.1, write_stall_s=1, **SMALL)
    async with running_server(app, limits) as running, lazy(running.port, handshake()) as sock:
        loop = asyncio.get_running_loop()
        for _ in range(15):
            await loop.sock_recv(sock, 4_096)
            await asyncio.sleep(0.1)
        assert not app.ended.is_set()
        assert running.counts == {}


async def test_a_client_that_neither_answers_nor_takes_anything_is_dropped() -> None:
    app = Talker()
    limits = ServingLimits(ping_interval_s=0.1, pong_wait_s=0.1, write_stall_s=0.5, **SMALL)
    async with running_server(app, limits) as running, lazy(running.port, handshake()):
        await asyncio.wait_for(app.ended.wait(), 4)
        assert len(running.counts) == 1 and running.counts.keys() <= {"pong_late", "write_stall"}


async def test_a_client_that_reads_again_in_time_gets_everything_on_that_socket() -> None:
    app = Talker(ends_after=200)
    limits = ServingLimits(ping_interval_s=0.1, pong_wait_s=0.1, write_stall_s=5, **SMALL)
    async with running_server(app, limits) as running:
        async with connect(f"{running.socket_url}/", proxy=None, compression=None, max_queue=1) as client:
            client.transport.pause_reading()
            await until_full(running)
            await asyncio.sleep(0.5)
            assert app.sent < 200
            client.transport.resume_reading()
            for _ in range(200):
                assert len(await asyncio.wait_for(client.recv(), 5)) == len(PART)
        assert running.counts == {}


async def test_a_close_reaches_a_client_that_does_not_read_behind_what_waits_for_it() -> None:
    """An app that is blocked in `send` says that it wants to end."""
    is_over = asyncio.Event()
    unblock: list[Any] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        unblock.append(scope["extensions"]["tidemark.unblock"]["unblock"])
        await receive()
        await send({"type": "websocket.accept"})
        while not is_over.is_set():
            await send({"type": "websocket.send", "bytes": PART})
        await send({"type": "websocket.close", "code": 4401, "reason": "x"})
        await receive()

    async with (
        running_server(app_of(talk), ServingLimits(**SMALL)) as running,
        connect(f"{running.socket_url}/", proxy=None, compression=None, max_queue=1) as client,
    ):
        client.transport.pause_reading()
        await until_full(running)
        is_over.set()
        unblock[0]()
        protocol = connection_of(running)
        assert isinstance(protocol, SocketProtocol)
        await until(lambda: protocol.stage is Stage.CLOSING)
        client.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            while True:
                assert len(await client.recv()) == len(PART)
        assert (client.close_code, client.close_reason) == (4401, "x")
