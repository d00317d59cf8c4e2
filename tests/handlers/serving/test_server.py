"""The stop: drain first, then close, then end; each in bounded time."""

import asyncio
import signal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from handlers.serving.limits import ServingLimits
from handlers.serving.server import allow_open_files
from tests.handlers.serving.apps import EdgeApp, parse_answers, refusal_of
from tests.serving_app import handshake, raw_client, running_server, until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HOLD = b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
QUICK = ServingLimits(drain_s=0.2, shutdown_s=4, linger_s=0.2, close_wait_s=0.3)


async def test_idle_connections_are_closed_and_new_ones_refused() -> None:
    async with (
        running_server(EdgeApp(), QUICK) as running,
        raw_client(running.port) as idle,
        raw_client(running.port) as new,
    ):
        await idle.send(GET)
        await idle.read_answer()
        running.ask_to_stop()
        assert await idle.read_to_end() == b""
        assert await new.read_to_end() == b""
        assert running.drain.started
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", running.port)
        await running.stopped()


async def test_a_request_under_way_is_answered_and_is_the_last_on_its_connection() -> None:
    app = EdgeApp()
    async with running_server(app, QUICK) as running, raw_client(running.port) as client:
        await client.send(HOLD)
        await until(lambda: app.requests)
        running.ask_to_stop()
        await running.drain.wait()
        await client.send(GET)
        app.release.set()
        (answer,) = parse_answers(await client.read_to_end())
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        await running.stopped()


async def test_a_request_whose_head_has_begun_is_served() -> None:
    async with running_server(EdgeApp(), QUICK) as running, raw_client(running.port) as client:
        await client.send(GET[:10])
        await until(lambda: any(getattr(each, "url", None) for each in running.server.server_state.connections))
        running.ask_to_stop()
        await running.drain.wait()
        await client.send(GET[10:])
        (answer,) = parse_answers(await client.read_to_end())
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        await running.stopped()


async def test_sockets_that_the_app_leaves_open_are_closed_with_1012_after_the_drain() -> None:
    app = EdgeApp()
    loop = asyncio.get_running_loop()
    async with running_server(app, QUICK) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as client:
            running.ask_to_stop()
            await running.drain.wait()
            began_s = loop.time()
            await client.send("still served")
            assert await client.recv() == "still served"
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1012
            assert loop.time() - began_s >= 0.2
        await running.stopped()
    assert app.closes == [1012]


async def test_a_handshake_that_the_app_has_not_answered_by_the_end_of_the_drain_gets_503() -> None:
    app = EdgeApp()
    app.accept.clear()
    async with running_server(app, QUICK) as running, raw_client(running.port) as client:
        await client.send(handshake())
        await until(lambda: app.requests)
        running.ask_to_stop()
        assert refusal_of(await client.read_to_end())[0] == 503
        assert running.counts == {}, "nobody's fault"
        app.accept.set()
        await running.stopped()


async def test_whatever_is_still_open_at_the_end_is_aborted() -> None:
    app = EdgeApp()
    limits = ServingLimits(drain_s=0.1, shutdown_s=0.5)
    async with running_server(app, limits) as running, raw_client(running.port) as client:
        await client.send(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.reader.readuntil(b"begun")
        running.ask_to_stop()
        await client.read_to_end()
        await running.stopped()
    assert app.gone == ["/stream"]


async def test_an_app_that_does_not_listen_is_cancelled_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    app = EdgeApp()
    limits = ServingLimits(drain_s=0.1, shutdown_s=0.3)
    async with running_server(app, limits) as running, raw_client(running.port) as client:
        await client.send(HOLD)
        await until(lambda: app.requests)
        running.ask_to_stop()
        await running.stopped()
    assert "ending 1 connections and 1 requests" in caplog.text
    caplog.clear()


async def test_the_second_signal_ends_at_once() -> None:
    limits = ServingLimits(drain_s=60, shutdown_s=60)
    async with (
        running_server(EdgeApp(), limits) as running,
        connect(f"{running.socket_url}/", proxy=None) as client,
    ):
        running.server.handle_exit(signal.SIGTERM, None)
        await running.drain.wait()
        running.server.handle_exit(signal.SIGTERM, None)
        await running.stopped()
        with pytest.raises(ConnectionClosed):
            await client.recv()


def test_the_limit_of_open_files_is_raised_as_far_as_it_may() -> None:
    assert allow_open_files(1) >= 1
    assert allow_open_files(1_000_000_000) >= allow_open_files(1)
