"""Serve an ASGI app as Tidemark is served, on a free port of the test's own loop, and talk to it in raw bytes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from handlers.serving.admission import Admission
from handlers.serving.drain import Drain
from handlers.serving.gate import Gate
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Refusals
from handlers.serving.server import DrainingServer, build_config
from handlers.serving.tls import Tls

PATIENCE_S = 8.0


@dataclass(frozen=True)
class Running:
    """A server that listens on 127.0.0.1:`port`."""

    port: int
    gate: Gate
    drain: Drain
    server: DrainingServer
    task: "asyncio.Task[None]"
    tasks: "set[asyncio.Task[Any]]"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def counts(self) -> dict[str, int]:
        return {kind: count for kind, count in self.gate.refusals.counts().items() if count}

    def ask_to_stop(self) -> None:
        self.server.should_exit = True

    def leftovers(self) -> dict[str, Any]:
        """What is there of connections: nothing, once all clients are gone."""
        state, admission = self.server.server_state, self.gate.admission
        found = {
            "connections": len(state.connections),
            "requests": len(state.tasks),
            "slots": admission.open,
            "addresses": admission.addresses,
            "lingering": admission.lingering,
            "tasks": sorted(str(task) for task in asyncio.all_tasks() - self.tasks - {asyncio.current_task()}),
        }
        return {name: value for name, value in found.items() if value}

    async def settled(self) -> None:
        """Return when nothing is left of any connection; fails when something stays."""
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while self.leftovers():
            assert asyncio.get_running_loop().time() < until, self.leftovers()
            await asyncio.sleep(0.005)

    async def stopped(self) -> None:
        await asyncio.wait_for(asyncio.shield(self.task), PATIENCE_S)


async def until(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> None:
    """Return when the condition holds, for what nobody announces; fails when it does not come to hold."""
    end_s = asyncio.get_running_loop().time() + patience_s
    while not condition():
        assert asyncio.get_running_loop().time() < end_s, "this did not come"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def running_server(
    app: Any,
    limits: ServingLimits | None = None,
    drain: Drain | None = None,
    refusals: Refusals | None = None,
    *,
    listener: socket.socket | None = None,
    tls: Tls | None = None,
) -> AsyncIterator[Running]:
    """Serve `app` until the block ends, where nothing of any connection may be left; then leave without a drain.

    A bound `listener` may be given, which is closed at the end; without one a free port is taken. Whoever brings a
    listener has others behind it, such as caches, that keep their connections.
    """
    limits, drain = limits or ServingLimits(), drain or Drain()
    is_shared = listener is not None
    gate = Gate(limits, Admission(limits, asyncio.get_running_loop().time()), refusals or Refusals())
    listener = listener or socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = DrainingServer(build_config(app, gate, tls), gate, drain)
    task = asyncio.create_task(server.serve_on([listener]))
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.005)
    try:
        running = Running(port, gate, drain, server, task, asyncio.all_tasks())
        yield running
        if not is_shared:
            await running.settled()
    finally:
        server.should_exit = server.force_exit = True
        await asyncio.wait_for(task, PATIENCE_S)
        await server.lifespan.shutdown()


class Raw:
    """A client that sends exactly the bytes it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_answer(self) -> bytes:
        """One response with a Content-Length."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head + await asyncio.wait_for(self.reader.readexactly(length), PATIENCE_S)

    async def read_to_end(self) -> bytes:
        """Everything until the server closes; a reset ends it as well."""
        received = bytearray()
        async with asyncio.timeout(PATIENCE_S):
            try:
                while chunk := await self.reader.read(65_536):
                    received += chunk
            except ConnectionError:
                received += b"<reset>"
        return bytes(received)


@asynccontextmanager
async def raw_client(port: int) -> AsyncIterator[Raw]:
    """A raw connection to 127.0.0.1:`port`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


async def ask(port: int, data: bytes) -> bytes:
    """Send `data` on a connection of its own; what the server says until it closes."""
    async with raw_client(port) as client:
        await client.send(data)
        return await client.read_to_end()


async def lazy_socket(port: int, receive_buffer_bytes: int = 4_096) -> socket.socket:
    """A connected non-blocking socket with a small receive buffer, that reads nothing by itself."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return sock


def handshake(path: str = "/", *extra: str) -> bytes:
    """A WebSocket handshake's request."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: test",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *extra,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def masked_frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's WebSocket frame of up to 65,535 bytes, masked with zeros."""
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    head += bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2)
    return head + bytes(4) + payload
