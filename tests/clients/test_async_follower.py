"""What only the asyncio face of a follower can meet: it is cancelled, and it watches the silence of a stream itself."""

import asyncio
import json

import pytest

from tests.clients.cases import START, ulid
from tests.clients.faces import QUICK, client_of, take
from tests.clients.scripted import answer, scripted
from tests.clients.told_server import page, say, send, text, told
from tidemark_client import Timing

SILENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_reader_that_was_cancelled_goes_on_behind_what_it_was_given() -> None:
    async with told(say(text(1)), send(2)) as server, client_of("async", server.url) as client:
        follower = client.follow("news", cursor=START)
        assert (await anext(follower)).data == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(follower)
        assert await take(follower, 1) == [2]
    assert server.cursors == [START, ulid(1)]


async def test_a_silent_stream_is_one_trouble() -> None:
    said: list[str] = []
    timing = Timing(**{**vars(QUICK), "open_s": 0.2})
    with scripted(SILENT_STREAM, answer(200, json.dumps(page(1, cursor=1)).encode())) as server:
        async with client_of("async", server.url, timing=timing, on_trouble=said.append) as client:
            assert await take(client.follow("news", cursor=START, transports=["sse"]), 1) == [1]
    assert said == [f"The connection is silent; resuming after {START}"]
