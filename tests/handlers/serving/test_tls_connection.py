"""TLS at the door: admitted first, then a handshake in time; what comes after it is as without TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect

from handlers.serving.limits import ServingLimits
from handlers.serving.tls import Tls
from tests.certificates import Authority, serial_of
from tests.handlers.serving.apps import EdgeApp, parse_answers, refusal_of
from tests.serving_app import PATIENCE_S, Raw, Running, running_server, until

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def secure(running: Running, context: ssl.SSLContext) -> AsyncIterator[Raw]:
    """A raw client behind a handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=context)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


async def test_requests_are_answered_and_the_app_knows_that_they_came_by_https(authority: Authority, tls: Tls) -> None:
    schemes: list[str] = []

    class Noting(EdgeApp):
        async def http(self, scope: Any, receive: Any, send: Any) -> None:
            schemes.append(scope["scheme"])
            await super().http(scope, receive, send)

    async with running_server(Noting(), tls=tls) as running, secure(running, authority.client()) as client:
        for _ in range(2):
            await client.send(REQUEST)
            assert (await client.read_answer()).startswith(b"HTTP/1.1 200")
    assert schemes == ["https"] * 2
    assert running.gate.admission.admitted == 1


async def test_http_1_1_is_what_is_agreed_on(authority: Authority, tls: Tls) -> None:
    context = authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with running_server(EdgeApp(), tls=tls) as running, secure(running, context) as client:
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_a_client_of_tls_1_1_is_refused(authority: Authority, tls: Tls) -> None:
    context = authority.client()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with running_server(EdgeApp(), tls=tls) as running:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with secure(running, context):
                pass
        await running.settled()
        assert running.counts == {"tls_handshake": 1}


async def test_a_websocket_is_opened_by_wss_and_closed_in_order(authority: Authority, tls: Tls) -> None:
    app = EdgeApp()
    async with running_server(app, tls=tls) as running:
        url = f"wss://127.0.0.1:{running.port}/"
        async with connect(url, ssl=authority.client(), proxy=None, compression=None) as client:
            await client.send("hello")
            assert await client.recv() == "hello"
            await client.send("close 4408")
            await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
            assert (client.close_code, client.close_reason) == (4408, "asked")


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"])
async def test_a_handshake_that_does_not_come_to_its_end_is_ended_in_time(tls: Tls, sent: bytes) -> None:
    async with running_server(EdgeApp(), ServingLimits(handshake_s=0.2), tls=tls) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(sent)
        await until(lambda: running.gate.admission.open == 1)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), PATIENCE_S)
        writer.close()
        await running.settled()
        assert running.counts == {"tls_handshake": 1}


@pytest.mark.parametrize("sent", [REQUEST, b"\x00" * 100, b"\x16\x03\x01\x00\x05hello"])
async def test_whoever_speaks_something_else_is_dropped_and_the_app_hears_nothing(tls: Tls, sent: bytes) -> None:
    app = EdgeApp()
    async with running_server(app, tls=tls) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        client = Raw(reader, writer)
        await client.send(sent)
        assert b"HTTP/1.1" not in await client.read_to_end()
        writer.close()
        await running.settled()
        assert running.counts == {"tls_handshake": 1}
    assert app.requests == []


async def test_those_who_shake_hands_hold_a_place_so_that_there_are_never_too_many(
    authority: Authority, tls: Tls
) -> None:
    limits = ServingLimits(connections_per_address=2, handshake_s=5)
    async with running_server(EdgeApp(), limits, tls=tls) as running, AsyncExitStack() as stack:
        for _ in range(2):
            sock = socket.create_connection(("127.0.0.1", running.port))
            stack.callback(sock.close)
        await until(lambda: running.gate.admission.open == 2)
        async with secure(running, authority.client()) as client:
            assert refusal_of(await client.read_to_end()) == (429, "Too many connections from this address")
        assert running.counts == {"address_full": 1}


async def test_a_client_that_goes_on_sending_can_read_why_it_was_refused(authority: Authority, tls: Tls) -> None:
    async with running_server(EdgeApp(), tls=tls) as running, secure(running, authority.client()) as client:
        await client.send(b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n" + b"y" * 200_000)
        status, _ = refusal_of(await client.read_to_end())
        assert status == 414


async def test_a_last_answer_arrives_in_whole(authority: Authority, tls: Tls) -> None:
    async with running_server(EdgeApp(), tls=tls) as running, secure(running, authority.client()) as client:
        await client.send(LAST)
        [answer] = parse_answers(await client.read_to_end())
        assert answer.status == 200


async def test_a_stop_does_not_wait_for_handshakes_and_lets_requests_end(authority: Authority, tls: Tls) -> None:
    app = EdgeApp()
    limits = ServingLimits(handshake_s=60, drain_s=30, shutdown_s=30)
    async with running_server(app, limits, tls=tls) as running, secure(running, authority.client()) as client:
        halfway = socket.create_connection(("127.0.0.1", running.port))
        await client.send(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: running.gate.admission.open == 2 and app.requests)
        running.ask_to_stop()
        await until(lambda: running.gate.admission.open == 1)
        app.release.set()
        assert (await client.read_answer()).startswith(b"HTTP/1.1 200")
        halfway.close()
        await running.stopped()


async def test_new_files_are_shown_to_new_connections_and_old_ones_go_on(authority: Authority, tls: Tls) -> None:
    async with running_server(EdgeApp(), tls=tls) as running, secure(running, authority.client()) as old:
        _, _, serial = authority.sign()
        tls.reload()
        async with secure(running, authority.client()) as new:
            assert serial_of(new.writer.get_extra_info("ssl_object")) == serial
            assert serial_of(old.writer.get_extra_info("ssl_object")) != serial
            for client in (old, new):
                await client.send(REQUEST)
                assert (await client.read_answer()).startswith(b"HTTP/1.1 200")
