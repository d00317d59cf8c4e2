"""How one subscription ends while the socket lives on, and how the socket ends: always with the cursors to resume."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from broker.closing import NOT_VOUCHED, RESTART
from handlers.channels.multiplex.commands import Asked, Subscribe
from handlers.channels.multiplex.outgoing import Turn
from handlers.channels.multiplex.session import open_session
from tests.broker_server import BrokerServer, running_broker
from tests.engines import running_engine
from tests.multiplex_client import lazily_multiplexed, multiplexed

CHANNELS = ("news", "other")


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    for channel in CHANNELS:
        await broker_server.create(channel)
    return broker_server


async def trimmed_to(server: BrokerServer, channel_id: str, count: int) -> None:
    channel = await server.broker.channels.find(channel_id)
    async with asyncio.timeout(10):
        while len((await server.broker.log.newest(channel, limit=2 * count)).frames) > count:
            await asyncio.sleep(0.02)


async def test_a_deleted_channel_ends_with_1000_and_the_others_go_on(server: BrokerServer) -> None:
    async with multiplexed(server) as many:
        for channel in CHANNELS:
            await many.subscribe(channel)
        await server.broker.channels.delete("news")
        ended = (await many.until("ended"))["ended"]
        assert ended == {"channel": "news", "code": 1000, "reason": "channel deleted", "cursor": None}
        assert await many.refused(unsubscribe={"channel": "news"}) == (404, "Not subscribed to this channel")
        events = await server.publish("other", 1)
        assert await many.take("other", 1) == events
        await server.create("news")
        await many.subscribe("news")
        events = await server.publish("news", 1)
        assert await many.take("news", 1) == events


async def test_a_channel_turned_private_ends_for_strangers_with_4403(server: BrokerServer) -> None:
    last = (await server.publish("news", 0))[0]["id"]
    async with multiplexed(server) as stranger, multiplexed(server, server.token("sub:news")) as reader:
        for many in (stranger, reader):
            for channel in CHANNELS:
                await many.subscribe(channel)
        await server.change("news", is_public=False)
        ended = (await stranger.until("ended"))["ended"]
        assert ended == {"channel": "news", "code": 4403, "reason": "forbidden", "cursor": last}
        events = await server.publish("news", 1)
        assert await reader.take("news", 1) == events
        other = await server.publish("other", 1)
        assert await stranger.take("other", 1) == other
        assert stranger.events["news"] == []


async def test_a_reader_trimmed_past_its_cursor_ends_with_4410_and_goes_on_from_what_is_kept(
    server: BrokerServer,
) -> None:
    await server.change("news", config={"storage": {"retention_events": 5}})
    async with lazily_multiplexed(server) as many:
        await many.subscribe("other")
        begun = await many.subscribe("news")
        for _ in range(3):
            await server.publish("news", *["x" * 60_000] * 90)
        await trimmed_to(server, "news", 5)
        ended = (await many.until("ended"))["ended"]
        assert (ended["channel"], ended["code"], ended["reason"]) == ("news", 4410, "cursor expired")
        assert ended["cursor"] >= [begun["cursor"], *(event["id"] for event in many.events["news"])][-1]
        await many.subscribe("news", cursor=ended["cursor"])
        kept = await server.broker.log.newest(await server.broker.channels.find("news"), limit=10)
        got = await many.take("news", len(many.events["news"]) + len(kept.frames))
        assert [event["id"] for event in got[-5:]] == [frame.id for frame in kept.frames]
        events = await server.publish("other", 1)
        assert await many.take("other", 1) == events


async def test_a_reader_behind_the_configured_lag_ends_with_4408(engine_url: str, tmp_path: Path) -> None:
    overrides = {"channels": {"max_lag_events": 150, "window_events": 10}}
    async with running_broker(engine_url, tmp_path / "key.json", overrides) as server:
        for channel in CHANNELS:
            await server.create(channel)
        async with lazily_multiplexed(server) as many:
            for channel in CHANNELS:
                await many.subscribe(channel)
            for _ in range(3):
                await server.publish("news", *["x" * 60_000] * 90)
            ended = (await many.until("ended"))["ended"]
            assert (ended["channel"], ended["code"], ended["reason"]) == ("news", 4408, "lagging")
            assert ended["cursor"] == many.events["news"][-1]["id"]
            had = len(many.events["news"])
            await many.subscribe("news", cursor=ended["cursor"])
            assert len(await many.take("news", 270)) == 270 > had


async def test_a_drain_closes_every_socket_with_1012_and_all_cursors(server: BrokerServer) -> None:
    last = {channel: (await server.publish(channel, 0))[0]["id"] for channel in CHANNELS}
    async with multiplexed(server) as following, multiplexed(server, server.token("pub:*")) as publishing:
        for channel in CHANNELS:
            await following.subscribe(channel)
        await publishing.publish("news", data=1)
        last["news"] = (await following.take("news", 1))[0]["id"]
        server.drain.begin()
        assert await following.closed() == (1012, "restart")
        assert following.told[-1] == {"closing": last}
        assert await publishing.closed() == (1012, "restart")
        assert publishing.told[-1] == {"closing": {}}


async def test_a_drain_reaches_a_socket_that_does_not_read(server: BrokerServer) -> None:
    async with lazily_multiplexed(server) as many:
        await many.subscribe("news")
        await server.publish("news", *["x" * 60_000] * 50)
        connections = server.running.server.server_state.connections
        async with asyncio.timeout(10):
            while not any(each.transport.get_write_buffer_size() > 100_000 for each in connections):
                await asyncio.sleep(0.01)
            server.drain.begin()
            while server.broker.ended_by_drain:
                await asyncio.sleep(0.01)
        assert not many.events["news"]
        assert await many.closed() == (1012, "restart")
        assert many.told[-1] == {"closing": {"news": many.events["news"][-1]["id"]}}
        assert len(many.events["news"]) < 50
    assert server.broker.refusals.counts()["close_1012"] >= 1


async def test_publishes_under_way_are_answered_before_the_close(server: BrokerServer) -> None:
    async with multiplexed(server, server.token("pub:*", sub="me")) as many:
        await many.subscribe("news")
        for i in range(200):
            await many.say(ref=i, publish={"channel": "news", "data": i})
        await many.hear()
        server.drain.begin()
        await many.closed()
    answered = [told["published"]["ids"][0] for told in many.told if "published" in told]
    page = (await server.broker.log.newest(await server.broker.channels.find("news"), limit=1000)).frames
    assert [frame.id for frame in page] == answered


async def test_a_socket_that_ends_waits_for_answers_without_holding_up_the_others(server: BrokerServer) -> None:
    events = await server.publish("news", *range(3))
    async with open_session(server.broker, None, lambda: None) as session:
        await session.execute([Asked(1, Subscribe("news", events[0]["id"], None, None, gap_is_error=False))])
        turns = [await session.next_turn(), await session.next_turn()]
        assert sum(len(turn.texts) for turn in turns) == 3
        session._outgoing.expect(1)
        session.end(RESTART)
        last = asyncio.create_task(session.next_turn())
        await asyncio.sleep(0.01)
        assert not last.done()
        session._outgoing.answer(lambda: b"{}")
        assert await last == Turn([b"{}", b'{"closing":{"news":"%b"}}' % events[-1]["id"].encode()], RESTART)


async def test_a_process_that_cannot_vouch_closes_with_1013_and_all_cursors(server: BrokerServer) -> None:
    async with multiplexed(server) as many:
        begun = {channel: (await many.subscribe(channel))["cursor"] for channel in CHANNELS}
        await server.broker.hub.close_all(NOT_VOUCHED, spread_s=0)
        assert await many.closed() == (1013, "try again later")
        assert many.told[-1] == {"closing": begun}


async def test_an_engine_that_stays_away_is_told_and_a_resume_elsewhere_misses_nothing(tmp_path: Path) -> None:
    overrides = {"engine": {"vouch_s": 0.3, "position_check_s": 0.1, "reply_timeout_s": 0.5}}
    async with AsyncExitStack() as stack:
        with running_engine(tmp_path / "engine") as engine:
            server = await stack.enter_async_context(
                running_broker(engine.url, tmp_path / "key.json", {**overrides, "server": {"drain_s": 0.1}})
            )
            await server.create("news")
            many = await stack.enter_async_context(multiplexed(server, server.token("pub:*", sub="me")))
            await many.subscribe("news")
            await many.publish("news", data=1)
            await many.take("news", 1)
        refused = await many.refused(publish={"channel": "news", "data": 2})
        assert refused == (503, "The engine did not answer in time")
        code, reason = await many.closed()
        assert (code, reason) == (1013, "try again later")
        cursor = many.told[-1]["closing"]["news"]
        with running_engine(tmp_path / "engine"):
            async with asyncio.timeout(10):
                while (await server.http.get("/readyz")).status_code != 200:
                    await asyncio.sleep(0.02)
            events = await server.publish("news", 3)
            async with multiplexed(server) as again:
                assert (await again.subscribe("news", cursor=cursor))["complete"]
                assert await again.take("news", 1) == events
            # While the engine is there: a broker without one goes on trying to read what it missed.
            await stack.aclose()
