"""Frames as nobody should send them: each gets its close code, the connection ends in bounded time, nothing is left."""

import asyncio
import struct

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from handlers.serving.limits import ServingLimits
from tests.handlers.serving.apps import EdgeApp
from tests.serving_app import Raw, handshake, masked_frame, raw_client, running_server, until

LIMITS = ServingLimits(client_frame_bytes=200, linger_s=0.2, close_wait_s=0.3)
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


async def shake(client: Raw) -> None:
    await client.send(handshake())
    assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")


def frames_in(raw: bytes) -> list[tuple[int, bytes]]:
    """The server's frames: opcode and payload. They are whole and unmasked."""
    frames = []
    while raw:
        opcode, size = raw[0] & 15, raw[1]
        assert raw[0] & 0xF0 == 0x80 and size < 127
        start = 4 if size == 126 else 2
        if size == 126:
            size = int.from_bytes(raw[2:4])
        frames.append((opcode, raw[start : start + size]))
        raw = raw[start + size :]
    return frames


def close_code(raw: bytes) -> int:
    (close,) = [payload for opcode, payload in frames_in(raw) if opcode == CLOSE]
    return int(struct.unpack("!H", close[:2])[0])


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return masked_frame(CLOSE, struct.pack("!H", code) + reason)


BAD = {
    "unmasked text": (b"\x81\x05hello", 1002, "frame_malformed"),
    "unmasked close": (b"\x88\x02\x03\xe8", 1002, "frame_malformed"),
    "reserved bit 1": (b"\xc1\x80\x00\x00\x00\x00", 1002, "frame_malformed"),
    "reserved bit 2": (b"\xa1\x80\x00\x00\x00\x00", 1002, "frame_malformed"),
    "reserved bit 3": (b"\x91\x80\x00\x00\x00\x00", 1002, "frame_malformed"),
    "reserved opcode 3": (masked_frame(3), 1002, "frame_malformed"),
    "reserved opcode 11": (masked_frame(11), 1002, "frame_malformed"),
    "fragmented ping": (masked_frame(PING, fin=False), 1002, "frame_malformed"),
    "fragmented close": (masked_frame(CLOSE, fin=False), 1002, "frame_malformed"),
    "long ping": (masked_frame(PING, b"x" * 126), 1002, "frame_malformed"),
    "continuation of nothing": (masked_frame(CONTINUATION, b"x"), 1002, "frame_malformed"),
    "text amid a message": (masked_frame(TEXT, b"a", fin=False) + masked_frame(TEXT, b"b"), 1002, "frame_malformed"),
    "no utf-8": (masked_frame(TEXT, b"\xff\xfe"), 1007, "frame_malformed"),
    "no utf-8 in parts": (
        masked_frame(TEXT, b"\xe2\x82", fin=False) + masked_frame(CONTINUATION, b"x"),
        1007,
        "frame_malformed",
    ),
    "surrogate": (masked_frame(TEXT, b"\xed\xa0\x80"), 1007, "frame_malformed"),
    "too large": (masked_frame(TEXT, b"x" * 201), 1009, "frame_too_large"),
    "too large, binary": (masked_frame(BINARY, b"x" * 201), 1009, "frame_too_large"),
    "too large in parts": (
        masked_frame(TEXT, b"x" * 150, fin=False) + masked_frame(CONTINUATION, b"x" * 51),
        1009,
        "frame_too_large",
    ),
    "announced too large": (b"\x81\xff" + (1 << 40).to_bytes(8), 1009, "frame_too_large"),
    "close of one byte": (masked_frame(CLOSE, b"\x03"), 1002, "frame_malformed"),
    "close with no utf-8": (close_frame(1000, b"\xff"), 1007, "frame_malformed"),
    "close 999": (close_frame(999), 1002, "frame_malformed"),
    "close 1004": (close_frame(1004), 1002, "frame_malformed"),
    "close 1005": (close_frame(1005), 1002, "frame_malformed"),
    "close 1006": (close_frame(1006), 1002, "frame_malformed"),
    "close 1015": (close_frame(1015), 1002, "frame_malformed"),
    "close 2999": (close_frame(2999), 1002, "frame_malformed"),
    "close 65535": (close_frame(65_535), 1002, "frame_malformed"),
    "http": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1002, "frame_malformed"),
}


@pytest.mark.parametrize("name", list(BAD))
async def test_a_bad_frame_gets_its_close_code_and_the_end(name: str) -> None:
    sent, code, kind = BAD[name]
    app = EdgeApp()
    async with running_server(app, LIMITS) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as bystander, raw_client(running.port) as client:
            await shake(client)
            await client.send(sent + masked_frame(TEXT, b"behind"))
            assert close_code(await client.read_to_end()) == code
            assert running.counts == {kind: 1}
            await bystander.send("still here")
            assert await bystander.recv() == "still here"
        await running.settled()
    assert app.messages == ["still here"]
    assert sorted(app.closes) == sorted([code, 1000])


@pytest.mark.parametrize("parts", [1, 4])
async def test_a_message_of_exactly_the_limit_is_taken(parts: int) -> None:
    async with running_server(EdgeApp(), LIMITS) as running, raw_client(running.port) as client:
        await shake(client)
        opcodes = [TEXT, *[CONTINUATION] * (parts - 1)]
        size = 200 // parts
        frames = [masked_frame(opcode, b"x" * size, fin=i == parts - 1) for i, opcode in enumerate(opcodes)]
        await client.send(b"".join(frames))
        echoed = await client.reader.readexactly(204)
        await client.send(close_frame(1000))
        assert frames_in(echoed + await client.read_to_end()) == [(TEXT, b"x" * 200), (CLOSE, b"\x03\xe8")]


async def test_ping_is_answered_amid_a_fragmented_message() -> None:
    async with running_server(EdgeApp(), LIMITS) as running, raw_client(running.port) as client:
        await shake(client)
        begin, end = masked_frame(TEXT, b"he", fin=False), masked_frame(CONTINUATION, b"llo")
        await client.send(begin + masked_frame(PING, b"?") + end + masked_frame(PONG, b"unasked"))
        echoed = await client.reader.readexactly(10)
        await client.send(close_frame(1001, b"bye"))
        expected = [(PONG, b"?"), (TEXT, b"hello"), (CLOSE, b"\x03\xe9bye")]
        assert frames_in(echoed + await client.read_to_end()) == expected


@pytest.mark.parametrize("opcode", [TEXT, PING, PONG])
async def test_frames_pass_up_to_the_burst_and_one_more_is_closed_with_1008(opcode: int) -> None:
    limits = ServingLimits(client_frames_per_min=1, client_frame_burst=10, linger_s=0.2)
    for count, code in ((10, 1000), (11, 1008)):
        async with running_server(EdgeApp(), limits) as running, raw_client(running.port) as client:
            await shake(client)
            await client.send(masked_frame(opcode, b"x") * (count - 1 if code == 1000 else count) + close_frame(1000))
            assert close_code(await client.read_to_end()) == code
            assert running.counts == ({} if code == 1000 else {"frame_rate": 1})


async def test_a_message_in_many_parts_is_many_frames() -> None:
    limits = ServingLimits(client_frames_per_min=1, client_frame_burst=10, linger_s=0.2)
    async with running_server(EdgeApp(), limits) as running, raw_client(running.port) as client:
        await shake(client)
        await client.send(masked_frame(TEXT, fin=False) + masked_frame(CONTINUATION, fin=False) * 20)
        assert close_code(await client.read_to_end()) == 1008


async def test_a_close_of_the_server_is_answered_by_the_client_and_ends_at_once() -> None:
    app = EdgeApp()
    async with running_server(app) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as socket:
            await socket.send("close 4410")
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert (socket.close_code, socket.close_reason) == (4410, "asked")
        await asyncio.wait_for(running.settled(), 5)


async def test_a_client_that_does_not_answer_a_close_is_let_go_in_bounded_time() -> None:
    async with running_server(EdgeApp(), LIMITS) as running, raw_client(running.port) as client:
        await shake(client)
        await client.send(masked_frame(TEXT, b"close 4410"))
        assert close_code(await client.read_to_end()) == 4410


@pytest.mark.parametrize("name", ["too large", "no utf-8", "reserved bit 1", "close 999", "unmasked text"])
async def test_a_client_that_answers_a_close_by_nonsense_is_let_go(name: str) -> None:
    """The close code sent is one of ours, which the library has no name for."""
    app = EdgeApp()
    async with running_server(app, LIMITS) as running:
        async with raw_client(running.port) as client:
            await shake(client)
            await client.send(masked_frame(TEXT, b"close 4410"))
            await until(lambda: app.closes)
            await client.send(BAD[name][0])
            assert close_code(await client.read_to_end()) == 4410
            assert running.counts == {BAD[name][2]: 1}
        await running.settled()


async def test_a_client_that_floods_after_a_close_is_let_go() -> None:
    app = EdgeApp()
    limits = ServingLimits(client_frames_per_min=1, client_frame_burst=5, linger_s=0.2)
    async with running_server(app, limits) as running, raw_client(running.port) as client:
        await shake(client)
        await client.send(masked_frame(TEXT, b"close 4408"))
        await until(lambda: app.closes)
        await client.send(masked_frame(TEXT, b"x") * 50)
        assert close_code(await client.read_to_end()) == 4408
        assert running.counts == {"frame_rate": 1}


async def test_a_client_that_vanishes_without_a_close_is_told_to_the_app() -> None:
    app = EdgeApp()
    async with running_server(app) as running:
        async with raw_client(running.port) as client:
            await shake(client)
        await running.settled()
    assert app.closes == [1006]


async def test_a_close_arrives_though_the_client_goes_on_sending() -> None:
    """A close with unread bytes at hand sends a reset, which would destroy the close frame."""
    async with running_server(EdgeApp(), LIMITS) as running, raw_client(running.port) as client:
        await shake(client)
        await client.send(masked_frame(TEXT, b"x" * 60_000) * 40)
        assert close_code(await client.read_to_end()) == 1009
