"""Readers that stop reading: what they cost, and that they lose nothing (design promise 5).

The real broker on a real engine, with small bounds, on real sockets with small buffers.
"""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import BrokerServer, running_broker
from tests.handlers.serving.readers import End, buffers, reading, take, until_end
from tests.serving_app import until

BUFFER_BYTES = 32_768
WINDOW_EVENTS = 8
TEXT = "x" * 8_000
EVENT_BYTES = len(TEXT) + 400
COUNT = 200

Serve = Callable[..., AbstractAsyncContextManager[BrokerServer]]


@pytest.fixture
def serve(engine_url: str, tmp_path: Path) -> Serve:
    """A broker with small bounds, and what the test says of limits and channels."""

    def serving(channels: dict[str, Any] | None = None, **limits: Any) -> AbstractAsyncContextManager[BrokerServer]:
        overrides = {
            "limits": {"write_buffer_bytes": BUFFER_BYTES, **limits},
            "channels": {"window_events": WINDOW_EVENTS, **(channels or {})},
        }
        return running_broker(engine_url, tmp_path / "signing_key.json", overrides)

    return serving


async def publish(server: BrokerServer, count: int = COUNT) -> list[dict[str, Any]]:
    events = []
    for _ in range(count // 50):
        events += await server.publish("news", *[TEXT] * 50)
    return events


async def until_steady(server: BrokerServer) -> None:
    """Return when the broker writes no more to anybody."""
    async with asyncio.timeout(10):
        seen = [buffers(server)]
        while len(seen) < 4 or seen[-4:] != [seen[-1]] * 4:
            await asyncio.sleep(0.05)
            seen.append(buffers(server))


@pytest.mark.parametrize("kind", ["socket", "stream"])
async def test_a_reader_that_stops_costs_the_others_nothing_and_goes_on_where_it_stopped(
    serve: Serve, kind: str
) -> None:
    async with serve() as server:
        await server.create("news")
        async with reading(server, kind) as slow, reading(server, "socket") as one, reading(server, "stream") as other:
            events = await publish(server, 50)
            assert await take(slow, 50) == events
            assert await take(one, 50) == await take(other, 50) == events
            for _ in range(4):
                events = await publish(server, 50)
                assert await asyncio.wait_for(take(one, 50), 3) == events
                assert await asyncio.wait_for(take(other, 50), 3) == events
            await until_steady(server)
            bound = BUFFER_BYTES + EVENT_BYTES + (BUFFER_BYTES if kind == "stream" else 0)
            assert 0 < max(buffers(server)) <= bound
            missed = await take(slow, 200)
            assert missed[150:] == events
            assert [event["id"] for event in missed] == sorted(event["id"] for event in missed)
            last = await publish(server, 50)
            assert await take(slow, 50) == last
        assert server.running.counts == {}


async def test_the_memory_of_stalled_readers_is_bounded(serve: Serve) -> None:
    """Each holds a write buffer and a step of the same size, whatever is published; the log is in the engine."""
    large = "z" * 60_000
    async with serve() as server, AsyncExitStack() as stack:
        await server.create("news")
        for i in range(6):
            await stack.enter_async_context(reading(server, "socket" if i % 2 else "stream"))
        tracemalloc.start()
        try:
            for _ in range(3):
                await server.publish("news", *[large] * 10)
            await until_steady(server)
            full = tracemalloc.get_traced_memory()[0]
            assert full < 6 * 3 * (BUFFER_BYTES + len(large)) + WINDOW_EVENTS * 2 * len(large)
            for _ in range(6):
                await server.publish("news", *[large] * 10)
            await until_steady(server)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - full
        finally:
            tracemalloc.stop()
        assert max(buffers(server)) <= 2 * (BUFFER_BYTES + len(large) + 400)
        assert grown < 5 * len(large), "sixty were published"


@pytest.mark.parametrize("kind", ["socket", "stream"])
async def test_a_reader_too_far_behind_gets_4408_and_resumes_from_its_cursor(serve: Serve, kind: str) -> None:
    async with serve({"max_lag_events": 60}) as server:
        await server.create("news")
        async with reading(server, kind) as slow:
            first = await publish(server, 50)
            assert await take(slow, 50) == first
            events = await publish(server)
            await until_steady(server)
            got, end = await until_end(slow)
        # None at all where all was published before the reader had its turn.
        assert len(got) < COUNT - 60
        assert end == End(4408, (got or first)[-1]["id"])
        assert server.running.counts == {"close_4408": 1}
        async with reading(server, kind, f"?cursor={end.cursor}") as again:
            assert got + await take(again, COUNT - len(got)) == events


@pytest.mark.parametrize("kind", ["socket", "stream"])
async def test_a_reader_that_takes_nothing_for_too_long_is_aborted_and_resumes_from_its_last_id(
    serve: Serve, kind: str
) -> None:
    async with serve(write_stall_s=1) as server:
        await server.create("news")
        async with reading(server, kind) as slow:
            first = await publish(server, 50)
            got = await take(slow, 50)
            assert got == first
            events = await publish(server)
            channel = await server.broker.channels.find("news")
            await until(lambda: not server.broker.hub.readers(channel))
            more, end = await until_end(slow)
            got += more
        assert end.code is None
        assert server.running.counts == {"write_stall": 1}
        async with reading(server, kind, f"?cursor={got[-1]['id']}") as again:
            assert got + await take(again, 50 + COUNT - len(got)) == first + events


@pytest.mark.parametrize("kind", ["socket", "stream"])
async def test_a_replay_of_large_events_to_a_reader_that_stops_is_bounded_as_well(serve: Serve, kind: str) -> None:
    large = "y" * 60_000
    async with serve() as server:
        await server.create("news")
        start = (await server.publish("news", 0))[0]["id"]
        events = [event for _ in range(4) for event in await server.publish("news", *[large] * 10)]
        async with reading(server, kind, f"?cursor={start}") as slow:
            await until_steady(server)
            assert max(buffers(server)) <= 2 * (BUFFER_BYTES + len(large) + 400)
            assert await take(slow, 40) == events
