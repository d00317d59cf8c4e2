"""Servers that the load client is tried against: WebSockets by `websockets`, requests answered as they are told to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from bench.event import MARK
from bench.report import Report
from bench.requests import post, upgrade
from bench.target import Readers, Requests, Target

Serve = Callable[[ServerConnection], Awaitable[None]]
Run = Callable[..., Awaitable[Report]]


def event(sequence: int, line: int = 0) -> str:
    """An event with a mark, as old as the machine."""
    return f'{{"data":{{"mark":"mark={line:04x}{sequence:08x}{1:016x}"}}}}'


@asynccontextmanager
async def sockets_served(handler: Serve, **options: Any) -> AsyncIterator[Target]:
    """A WebSocket server that treats each reader like this."""
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield Target(Readers(port, (upgrade("/"),)))


def sending(*events: str) -> Serve:
    """Send these events, then wait until the reader goes."""

    async def handler(socket: ServerConnection) -> None:
        for text in events:
            await socket.send(text)
        await socket.wait_closed()

    return handler


class Http:
    """A server that takes requests one after the other and answers them as it is told to."""

    def __init__(self, answer: Callable[[int], Awaitable[bytes]]) -> None:
        self._answer = answer
        self.marks: list[tuple[int, int, int]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until it is closed."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                for part in (await reader.readexactly(length)).split(b"mark=")[1:]:
                    self.marks.append((int(part[:4], 16), int(part[4:12], 16), int(part[12:28], 16)))
                writer.write(await self._answer(len(self.marks)))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def http_served(answer: Callable[[int], Awaitable[bytes]], marks: int = 1) -> AsyncIterator[tuple[Http, Target]]:
    """A server with a publish of so many events a request."""
    http = Http(answer)
    async with await asyncio.start_server(http.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield http, Target(requests=Requests(port, (post("/", b",".join([MARK] * marks)),)))


async def created(_: int) -> bytes:
    return b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
