"""A WebSocket that costs its client next to nothing, so that many of them are a load on the broker and not on us.

It says nothing after its handshake, and reads text and close frames until everything was read. No ping needs an answer
in so short a life.
"""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

import orjson

from bench.requests import upgrade
from soak.doors import is_refused
from soak.readers import Reader
from soak.stage import API, Broker, Stage
from soak.ways import OPEN_S

TEXT, CLOSE = 1, 8
SWITCHING = 101
CHUNK_BYTES = 65_536


class Frame(NamedTuple):
    """One frame of a server, never masked and never in parts."""

    opcode: int
    payload: bytes


async def by_storm_socket(stage: Stage, broker: Broker, reader: Reader) -> None:
    """Connect past the proxy, and read until all was read or the connection broke."""
    async with asyncio.timeout(OPEN_S):
        source, sink = await asyncio.open_connection("127.0.0.1", broker.port)
    try:
        async with asyncio.timeout(OPEN_S):
            sink.write(handshake(stage, reader))
            head = await source.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status != SWITCHING:
            is_refused(status)
            return
        rest = bytearray()
        while not reader.is_done and (data := await source.read(CHUNK_BYTES)):
            rest += data
            if any(take_frame(reader, frame) for frame in taken_frames(rest)):
                return
    finally:
        sink.transport.abort()


def handshake(stage: Stage, reader: Reader) -> bytes:
    """The request."""
    return upgrade(f"{API}/channels/{reader.reading.channel}/ws?{urlencode(reader.query)}", stage.headers)


def taken_frames(data: bytearray) -> Iterator[Frame]:
    """Take the whole frames from the front of what came; what is left is the beginning of one."""
    place = 0
    while (ends := _frame_at(data, place)) is not None:
        begin, end = ends
        yield Frame(data[place] & 15, bytes(data[begin:end]))
        place = end
    del data[:place]


def take_frame(reader: Reader, frame: Frame) -> bool:
    """Take in one frame; whether it was the last."""
    if frame.opcode == TEXT:
        reader.take(orjson.loads(frame.payload))
    elif frame.opcode == CLOSE:
        reader.close(int.from_bytes(frame.payload[:2]), frame.payload[2:].decode())
    return frame.opcode == CLOSE


def _frame_at(data: bytearray, place: int) -> tuple[int, int] | None:
    """Where the payload of the frame at this place begins and ends; None while it is not all there."""
    if len(data) < place + 2:
        return None
    size, begin = data[place + 1], place + 2
    if size >= 126:
        begin += 2 if size == 126 else 8
        size = int.from_bytes(data[place + 2 : begin])
    end = begin + size
    return (begin, end) if len(data) >= end else None
