"""Frames made once and joined: what a client reads is what was given, in order, whatever the sizes."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from handlers.serving.raw_text import AT_ONCE_BYTES, joined, raw_text_of, text_frame
from tests.serving_app import running_server


@given(st.lists(st.text(max_size=200), max_size=20), st.sampled_from([0, 1, 125, 126, 65_535, 65_536, 70_000]))
def test_an_independent_reader_reads_the_texts_in_order(texts: list[str], size: int) -> None:
    given_texts = [*(text.encode() for text in texts), b"x" * size]
    reader = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    for frames in joined(given_texts):
        reader.receive_data(frames)
    read = reader.events_received()
    assert all(isinstance(frame, Frame) and frame.opcode is Opcode.TEXT and frame.fin for frame in read)
    assert [bytes(frame.data) for frame in read if isinstance(frame, Frame)] == given_texts


@given(st.lists(st.integers(0, AT_ONCE_BYTES * 2), max_size=12))
def test_writes_are_bounded(sizes: list[int]) -> None:
    writes = list(joined([b"x" * size for size in sizes]))
    assert all(len(frames) <= max(AT_ONCE_BYTES, *sizes) + 10 * len(sizes) for frames in writes)
    assert sum(map(len, writes)) == sum(len(text_frame(b"x" * size)) for size in sizes)


async def test_texts_are_written_as_they_are_until_the_peer_is_gone() -> None:
    ended = asyncio.Event()

    async def serve(socket: WebSocket) -> None:
        await socket.accept()
        write = raw_text_of(socket.scope)
        assert write is not None
        await write([b"one", b"two"])
        await socket.send_text("three")
        await socket.receive()
        with pytest.raises(OSError):
            await write([b"late"])
        ended.set()

    async with running_server(Starlette(routes=[WebSocketRoute("/", serve)])) as server:
        async with connect(server.socket_url, proxy=None) as client:
            assert [await client.recv() for _ in range(3)] == ["one", "two", "three"]
        await asyncio.wait_for(ended.wait(), 8)
