"""What one socket may cost: sizes, floods, clients that do not read, and that nobody else pays for it."""

import asyncio
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.broker_server import BrokerServer, running_broker
from tests.multiplex_client import lazily_multiplexed, multiplexed

FRAME_BYTES = 73_728


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


def publisher(server: BrokerServer) -> Any:
    return multiplexed(server, server.token("pub:*", "sub:*", sub="me"))


async def settled(server: BrokerServer, channel_id: str) -> int:
    """How many events the channel has, once there come no more for a while."""
    channel, before = await server.broker.channels.find(channel_id), -1
    while True:
        [meta] = await server.broker.channels.metas([channel])
        assert meta is not None
        if meta.event_count == before:
            return before
        before = meta.event_count
        await asyncio.sleep(0.3)


async def closed_code(socket: ClientConnection) -> int | None:
    await asyncio.wait_for(socket.wait_closed(), 10)
    return socket.close_code


def command_of(size: int) -> str:
    empty = '{"publish":{"channel":"none","data":""}}'
    return empty.replace('""', '"' + "x" * (size - len(empty)) + '"')


async def test_a_command_may_be_72_kb_and_no_more(server: BrokerServer) -> None:
    async with publisher(server) as many:
        await many.socket.send(command_of(FRAME_BYTES))
        assert (await many.until("error"))["error"]["status"] == 404
        await many.socket.send(command_of(FRAME_BYTES + 1))
        assert await closed_code(many.socket) == 1009


async def test_a_channel_s_socket_takes_4_kb_as_before(server: BrokerServer) -> None:
    async with server.socket("/channels/news/ws") as socket:
        await socket.send("x" * 4_096)
        await socket.send("x" * 4_097)
        assert await closed_code(socket) == 1009


async def test_the_path_decides_also_when_it_is_written_otherwise(server: BrokerServer) -> None:
    async with multiplexed(server, path="/%77s?x=1") as many:
        await many.socket.send(command_of(FRAME_BYTES))
        assert (await many.until("error"))["error"]["status"] == 401


async def test_a_fragmented_command_is_bounded_as_a_whole(server: BrokerServer) -> None:
    async with publisher(server) as many:
        await many.socket.send([command_of(FRAME_BYTES)[i : i + 10_000] for i in range(0, FRAME_BYTES, 10_000)])
        assert (await many.until("error"))["error"]["status"] == 404
        await many.socket.send(["x" * 10_000] * 8)
        assert await closed_code(many.socket) == 1009


async def test_a_flood_closes_with_1008(engine_url: str, tmp_path: Path) -> None:
    overrides = {"limits": {"multiplex_frames_per_min": 60, "multiplex_frame_burst": 20}}
    async with running_broker(engine_url, tmp_path / "key.json", overrides) as server, multiplexed(server) as many:
        for _ in range(20):
            await many.socket.send("{}")
        for _ in range(20):
            await many.until("error")
        for _ in range(5):
            await many.socket.send("{}")
        code, reason = await many.closed()
        assert (code, reason) == (1008, "too many messages")


@pytest.mark.parametrize(
    "frame", ["", "{", "nul", b"\x00\xff", "[]", '{"subscribe":{"channel":["news"]}}', "[" * 70_000, '{"a":' * 9_000]
)
async def test_garbage_is_answered_and_the_socket_goes_on(server: BrokerServer, frame: str | bytes) -> None:
    async with multiplexed(server) as many:
        await many.socket.send(frame)
        assert (await many.until("error"))["error"]["status"] == 400
        await many.subscribe("news")


async def test_text_that_is_not_utf_8_closes_with_1007(server: BrokerServer) -> None:
    async with multiplexed(server) as many:
        await many.socket.send(b'{"token":"\xff"}', text=True)
        assert await closed_code(many.socket) == 1007


async def test_a_client_that_does_not_read_its_answers_is_not_read_either(server: BrokerServer) -> None:
    """Its commands wait on the connection; when it reads again, all are answered in order."""
    batch = {"channel": "news", "events": [{"data": i} for i in range(100)]}
    total = 400
    async with lazily_multiplexed(server, server.token("pub:*", sub="me")) as many:

        async def send() -> None:
            for ref in range(total):
                await many.say(ref=ref, publish=batch)

        sending = asyncio.create_task(send())
        waiting = total * 100 - await settled(server, "news")
        assert waiting > 0, "the broker took everything, and holds the answers"
        answers = [await many.hear() for _ in range(total)]
        await sending
        assert [answer["ref"] for answer in answers] == list(range(total))
        ids = [each for answer in answers for each in answer["published"]["ids"]]
        assert len(ids) == total * 100 and ids == sorted(ids)


async def test_a_socket_with_128_channels_that_does_not_read_costs_nobody_else_anything(server: BrokerServer) -> None:
    names = [f"many-{i:03}" for i in range(128)]
    await asyncio.gather(*(server.create(name) for name in names))
    async with lazily_multiplexed(server) as lazy, multiplexed(server) as healthy:
        for many in (lazy, healthy):
            for name in names:
                await many.say(subscribe={"channel": name})
            while len(many.told) < len(names):
                await many.hear()
        sent = {}
        for name in names:
            sent[name] = await server.publish(name, *["x" * 4_000] * 20)
            assert await healthy.take(name, 20) == sent[name]
        assert not any(lazy.events.values())
        for name in names:
            assert await lazy.take(name, 20) == sent[name]


async def test_a_socket_that_does_not_read_holds_bounded_memory(server: BrokerServer) -> None:
    """What it has not taken waits in the log: the broker keeps a page of it, however much there is."""
    await server.publish("news", *["warm" * 15_000] * 20)

    async def publish_mb(count: int) -> None:
        for _ in range(count):
            await server.publish("news", *["x" * 60_000] * 17)

    async with lazily_multiplexed(server) as lazy:
        await lazy.subscribe("news")
        tracemalloc.start()
        try:
            await publish_mb(3)  # fills what may be filled: the window, the buffers, a page
            before, _ = tracemalloc.get_traced_memory()
            await publish_mb(12)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert after - before < 2_000_000
        assert len(await lazy.take("news", 15 * 17)) == 15 * 17


async def test_answers_overtake_events_that_wait(server: BrokerServer) -> None:
    """A client that asks while it replays is answered within a turn, not after the replay."""
    for _ in range(20):
        await server.publish("news", *["x" * 1_000] * 100)
    start = (await server.http.get("/api/v1/channels/news/events", params={"since": "2020-01-01T00:00:00Z"})).json()
    async with lazily_multiplexed(server) as many:
        await many.subscribe("news", cursor=start["events"][0]["id"])
        await many.take("news", 1)
        assert (await many.refused(unsubscribe={"channel": "other"}))[0] == 404
        assert len(many.events["news"]) < 1_900
