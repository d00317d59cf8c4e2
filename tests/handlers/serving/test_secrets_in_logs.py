"""No token of a query string or header is in any log line, whoever writes it, whatever becomes of the request."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from handlers.logs import configure_logs
from tests.broker_server import API, BrokerServer, running_broker
from tests.serving_app import ask, handshake, masked_frame, raw_client, until

CANARY = "canary-0123456789"
QUERY = f"?token={CANARY}&cursor={CANARY}&x={CANARY}"
BEARER = f"Authorization: Bearer {CANARY}"
OVERRIDES: dict[str, dict[str, Any]] = {
    "server": {"drain_s": 0.2},
    "limits": {
        "head_s": 0.6,
        "body_s": 0.6,
        "body_min_bytes_per_s": 100_000,
        "handshake_s": 0.8,
        "client_frame_burst": 3,
    },
}


@pytest.fixture(params=["json", "text"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged at debug, in the forms of production."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logs("debug", request.param, stream)
    yield stream
    root.handlers, root.level = handlers, level


@pytest.fixture
async def server(engine_url: str, tmp_path: Path, log: io.StringIO) -> AsyncIterator[BrokerServer]:
    async with running_broker(engine_url, tmp_path / "key.json", OVERRIDES) as server:
        await server.create("news")
        await server.create("secret", is_public=False)
        yield server


def head(path: str, *lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path}{QUERY} HTTP/1.1", "Host: x", BEARER, *lines, "", ""]).encode()


RAW = {
    "good": head("/healthz", "Connection: close"),
    "unknown": head("/nothing", "Connection: close"),
    "refused": head(f"{API}/channels/secret/events", "Connection: close"),
    "malformed head": head("/healthz", "Host: y"),
    "malformed line": head("/healthz", f"A b: {CANARY}"),
    "large head": head("/healthz", f"A: {CANARY * 600}"),
    "long target": head("/" + CANARY * 600),
    "half a head": head("/healthz")[:-2],
    "half a body": head(f"{API}/channels/news/events", "Content-Length: 9", method="POST") + b"abc",
    "bad chunk": head(f"{API}/channels/news/events", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
    "bad handshake": handshake(f"{API}/channels/news/ws{QUERY}", BEARER).replace(b"Version: 13", b"Version: 1"),
    "refused handshake": handshake(f"{API}/channels/secret/ws{QUERY}", BEARER),
    "handshake to nowhere": handshake(f"/nowhere{QUERY}", BEARER),
    "handshake with more": handshake(f"{API}/channels/news/ws{QUERY}", BEARER) + masked_frame(1, b"x"),
    "http/2": head("/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", f"HTTP2-Settings: {CANARY}"),
}


async def test_it_is_not_there(server: BrokerServer, log: io.StringIO) -> None:
    answers = dict(zip(RAW, await asyncio.gather(*(ask(server.port, sent) for sent in RAW.values())), strict=True))
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in answers.values())
    assert not [name for name, answer in answers.items() if answer.startswith(b"HTTP/1.1 5")]
    await open_sockets(server)
    await fail(server)
    await drain(server)
    text = log.getvalue()
    assert '"/healthz"' in text or "path=/healthz" in text, "the log is looked at"
    assert "failed" in text
    assert CANARY not in text and "canary" not in text


async def open_sockets(server: BrokerServer) -> None:
    """One that ends by itself, one that floods, one that talks nonsense."""
    query = f"?token={CANARY}&types={CANARY}"
    async with server.socket(f"/channels/news/ws{query}", token=CANARY) as socket:
        with suppress(ConnectionClosed):
            for _ in range(10):
                await socket.send(CANARY)
    for frame in (b"\xff\xff", masked_frame(1, b"\xff\xfe"), masked_frame(8, b"\x03")):
        async with raw_client(server.port) as client:
            await client.send(handshake(f"{API}/channels/news/ws{query}", BEARER))
            await client.reader.readuntil(b"\r\n\r\n")
            await client.send(frame)
            await client.read_to_end()
    with pytest.raises(InvalidStatus):
        await server.socket(f"/channels/secret/ws{query}", token=CANARY)


async def fail(server: BrokerServer) -> None:
    """A defect, whose text has all of it."""

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError(f"GET {API}/channels/news/events{QUERY} with {BEARER}")

    server.broker.log.newest = broken  # type: ignore[method-assign]
    raw = await ask(server.port, head(f"{API}/channels/news/events", "Connection: close").replace(b"cursor=", b"y="))
    assert raw.startswith(b"HTTP/1.1 500")


async def drain(server: BrokerServer) -> None:
    """With a reader that is told, and one that is aborted."""
    query = f"?token={CANARY}"
    async with server.socket(f"/channels/news/ws{query}", token=CANARY) as socket:
        server.running.ask_to_stop()
        await until(lambda: server.drain.started)
        with suppress(ConnectionClosed):
            await socket.recv()
    await server.running.stopped()


@pytest.fixture(autouse=True)
def no_log_is_an_error() -> None:
    """Here there is one, on purpose."""
