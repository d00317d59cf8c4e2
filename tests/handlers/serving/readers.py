"""Readers of a channel by socket and by stream that can stop reading: their buffers are as small as they may be."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.broker_server import API, BrokerServer
from tests.serving_app import lazy_socket

PATIENCE_S = 10.0


class End(NamedTuple):
    """How a stream of events ended: the close code, None where it broke off, and the cursor that came with it."""

    code: int | None
    cursor: str | None


class SocketReader:
    """Reads only when asked: the library stops the transport when one message waits."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def next(self) -> Any:
        """The next event, or the `End`."""
        try:
            return json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                return End(None, None)
            _, _, cursor = closed.rcvd.reason.partition("; cursor=")
            return End(closed.rcvd.code, cursor or None)


class StreamReader:
    """Reads Server-Sent Events of a chunked answer, and nothing ahead of what is asked for."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self._text = b""

    async def next(self) -> Any:
        """The next event, or the `End`."""
        while True:
            block, separator, rest = self._text.partition(b"\n\n")
            if separator:
                self._text = rest
                fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if line[:1] not in ("", ":"))
                if "data" in fields:
                    return self._event(fields)
            elif not await self._read_chunk():
                return End(None, None)

    def _event(self, fields: dict[str, str]) -> Any:
        found = json.loads(fields["data"])
        if fields.get("event") == "close":
            return End(found["code"], found["cursor"])
        assert fields["id"] == found["id"]
        return found

    async def _read_chunk(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                size = int(await self.reader.readline() or b"0", 16)
                self._text += (await self.reader.readexactly(size + 2))[:-2]
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            return False
        return size > 0


Reader = SocketReader | StreamReader


@asynccontextmanager
async def reading(
    server: BrokerServer, kind: str, query: str = "", *, receive_buffer_bytes: int = 4_096
) -> AsyncIterator[Reader]:
    """A reader of the channel `news`, subscribed when this returns."""
    sock = await lazy_socket(server.port, receive_buffer_bytes)
    if kind == "socket":
        url = f"ws://127.0.0.1:{server.port}{API}/channels/news/ws{query}"
        async with connect(url, sock=sock, compression=None, max_queue=1, proxy=None, close_timeout=1) as socket:
            yield SocketReader(socket)
        return
    reader, writer = await asyncio.open_connection(sock=sock, limit=4_096)
    try:
        writer.write(f"GET {API}/channels/news/sse{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert head.startswith(b"HTTP/1.1 200"), head
        yield StreamReader(reader)
    finally:
        writer.transport.abort()


async def take(reader: Reader, count: int) -> list[Any]:
    """The next events, so many."""
    events = [await reader.next() for _ in range(count)]
    assert not any(isinstance(event, End) for event in events), events[-1]
    return events


async def until_end(reader: Reader) -> tuple[list[Any], End]:
    """All events until it ends, and how."""
    events = []
    while not isinstance(found := await reader.next(), End):
        events.append(found)
    return events, found


def buffers(server: BrokerServer) -> list[int]:
    """What each connection of this broker holds for its client."""
    return [each.transport.get_write_buffer_size() for each in server.running.server.server_state.connections]
