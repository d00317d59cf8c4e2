"""Pages for sockets are bounded in bytes, so that a slow reader holds little; nothing is skipped at the bound."""

from typing import Any

from broker.ids import Position
from tests.broker_server import BrokerServer


async def test_pages_end_with_the_event_that_brings_them_to_their_bytes(broker_server: BrokerServer) -> None:
    channel = await broker_server.create("news")
    ids = [event["id"] for event in await broker_server.publish("news", *["x" * 300] * 10)]
    log = broker_server.broker.log

    async def page(start: Position, **options: Any) -> list[str]:
        page = await log.after(channel, start, limit=100, **options)
        assert page.more is (page.frames[-1].id != ids[-1])
        return [frame.id for frame in page.frames]

    assert await page(channel.start) == ids
    assert await page(channel.start, most_bytes=1) == ids[:1]
    got: list[str] = []
    position = channel.start
    while len(got) < len(ids):
        read = await log.after(channel, position, limit=100, most_bytes=1_000)
        assert 0 < len(read.frames) <= 3
        got += [frame.id for frame in read.frames]
        position = read.frames[-1].position
    assert got == ids


async def test_filtered_pages_are_bounded_too_and_skip_nothing(broker_server: BrokerServer) -> None:
    channel = await broker_server.create("news")
    wanted: list[str] = []
    for kind in ("a", "b", "a", "b", "a", "b"):
        events = await broker_server.publish("news", "x" * 300, type=kind)
        wanted += [event["id"] for event in events if kind == "a"]
    found: list[str] = []
    position, more = channel.start, True
    while more:
        page = await broker_server.broker.log.after(
            channel, position, limit=100, types=frozenset([b'"a"']), most_bytes=500
        )
        assert len(page.frames) <= 2 and page.scanned is not None
        found += [frame.id for frame in page.frames]
        position, more = page.scanned, page.more
    assert found == wanted


async def test_many_events_are_read_in_order_whatever_the_page(broker_server: BrokerServer) -> None:
    channel = await broker_server.create("news")
    ids: list[str] = []
    for _ in range(7):
        ids += [event["id"] for event in await broker_server.publish("news", *range(100))]
    for limit in (1_000, 699, 256, 255):
        page = await broker_server.broker.log.after(channel, channel.start, limit=limit)
        assert [frame.id for frame in page.frames] == ids[:limit]
        assert page.more is (limit < 700)
