"""Readers that stop reading behind TLS: what waits for them is bounded, and they are dropped as without it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from handlers.serving.limits import ServingLimits
from handlers.serving.tls import Tls
from handlers.serving.tls_transport import TlsTransport
from tests.certificates import Authority
from tests.handlers.serving.apps import EdgeApp
from tests.serving_app import PATIENCE_S, Running, lazy_socket, running_server, until

BUFFER_BYTES = 32_768
CHUNK = b"x" * 16_384


class Flood(EdgeApp):
    """Sends as long as it may; `sent` are the bytes so far."""

    sent = 0

    async def stream(self, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        ended = asyncio.create_task(self._until_gone(receive))
        while not ended.done():
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            self.sent += len(CHUNK)
            await asyncio.sleep(0)
        self.gone.append("/stream")

    async def _until_gone(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


@asynccontextmanager
async def lazy(running: Running, context: ssl.SSLContext) -> AsyncIterator[asyncio.StreamReader]:
    """A client that asked for the flood, and reads it only when it is told to."""
    sock = await lazy_socket(running.port)
    reader, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname="127.0.0.1", limit=1_024)
    try:
        writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        yield reader
    finally:
        writer.transport.abort()


def transport_of(running: Running) -> TlsTransport:
    [connection] = running.server.server_state.connections
    assert isinstance(connection.transport, TlsTransport)
    return connection.transport


async def until_stalled(app: Flood) -> int:
    async with asyncio.timeout(PATIENCE_S):
        before = -1
        while app.sent != before or not before:
            before = app.sent
            await asyncio.sleep(0.1)
    return before


async def test_what_waits_for_a_reader_that_stopped_is_bounded_and_arrives_when_it_goes_on(
    authority: Authority, tls: Tls
) -> None:
    app = Flood()
    async with (
        running_server(app, ServingLimits(write_buffer_bytes=BUFFER_BYTES), tls=tls) as running,
        lazy(running, authority.client()) as reader,
    ):
        sent = await until_stalled(app)
        assert 0 < transport_of(running).get_write_buffer_size() <= BUFFER_BYTES + 2 * len(CHUNK)
        got = 0
        async with asyncio.timeout(PATIENCE_S):
            while got < sent + 10 * len(CHUNK):
                got += len(await reader.read(65_536))


async def test_a_reader_that_takes_nothing_for_too_long_is_aborted(authority: Authority, tls: Tls) -> None:
    app = Flood()
    limits = ServingLimits(write_buffer_bytes=BUFFER_BYTES, write_stall_s=0.5)
    async with running_server(app, limits, tls=tls) as running, lazy(running, authority.client()):
        await until(lambda: app.gone == ["/stream"])
        assert running.counts == {"write_stall": 1}


async def test_it_tells_of_tls_and_of_the_connection_below(authority: Authority, tls: Tls) -> None:
    app = EdgeApp()
    async with running_server(app, tls=tls) as running, lazy(running, authority.client()):
        await until(lambda: app.requests)
        transport = transport_of(running)
        assert transport.get_extra_info("sslcontext") is tls.context
        assert transport.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert transport.get_extra_info("socket").getsockname()[1] == running.port
        assert transport.get_extra_info("none", 7) == 7
        assert transport.is_reading() and transport.can_write_eof() and not transport.is_closing()
