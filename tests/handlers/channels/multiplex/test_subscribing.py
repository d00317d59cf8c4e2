"""Following many channels on one socket: where it begins, replay then live, filters, and how one follows no more."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from broker.ids import render_ulid
from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.conftest import OVERRIDES
from tests.multiplex_client import multiplexed

WITH = {"limits": {**OVERRIDES["limits"], "multiplex_position_s": 0.05}, "channels": OVERRIDES["channels"]}


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    for channel in ("news", "other"):
        await broker_server.create(channel)
    return broker_server


async def start_of(server: BrokerServer, channel_id: str) -> str:
    record = await server.broker.channels.find(channel_id)
    return render_ulid(record.tag_letters, record.start)


async def trim(server: BrokerServer, channel_id: str, keep: int) -> None:
    """Keep the newest events only, and wait until the others are gone."""
    before = (await server.broker.channels.listed(channel_id)).meta.trimmed
    await server.change(channel_id, config={"storage": {"retention_events": keep}})
    async with asyncio.timeout(5):
        while (await server.broker.channels.listed(channel_id)).meta.trimmed == before:
            await asyncio.sleep(0.01)


async def test_events_of_all_channels_come_as_on_their_own_sockets(server: BrokerServer) -> None:
    async with server.socket("/channels/news/ws") as own, multiplexed(server) as many:
        for channel in ("news", "other"):
            await many.subscribe(channel)
        news, other = await server.publish("news", 1, 2, 3), await server.publish("other", "x")
        assert await many.take("news", 3) == news
        assert await many.take("other", 1) == other
        assert [json.loads(await own.recv()) for _ in range(3)] == news


async def test_it_begins_at_the_tip_and_says_where_that_is(server: BrokerServer) -> None:
    last = (await server.publish("news", "before"))[0]["id"]
    async with multiplexed(server) as many:
        assert await many.subscribe("news") == {"channel": "news", "cursor": last, "tail": last, "complete": True}
        after = await server.publish("news", "after")
        assert await many.take("news", 1) == after


async def test_an_empty_channel_has_a_cursor_too(server: BrokerServer) -> None:
    async with multiplexed(server) as many:
        begun = await many.subscribe("news")
        events = await server.publish("news", 1, 2)
        assert await many.take("news", 2) == events
        again = await many.subscribe("news", cursor=begun["cursor"])
        assert (again["cursor"], again["tail"]) == (begun["cursor"], events[1]["id"])
        assert await many.take("news", 2) == events


async def test_a_cursor_replays_then_goes_on_live(server: BrokerServer) -> None:
    events = [event for _ in range(3) for event in await server.publish("news", *range(90))]
    async with multiplexed(server) as many:
        begun = await many.subscribe("news", cursor=events[3]["id"])
        assert begun == {
            "channel": "news",
            "cursor": events[3]["id"],
            "tail": events[-1]["id"],
            "complete": True,
        }
        live = await server.publish("news", "live")
        assert await many.take("news", 267) == [*events[4:], *live]


async def test_since_and_cursor_both_apply(server: BrokerServer) -> None:
    events = await server.publish("news", 1, 2)
    async with multiplexed(server) as many:
        await many.subscribe("news", since="2020-01-01T00:00:00Z")
        assert await many.take("news", 2) == events
        await many.subscribe("news", since="2020-01-01T00:00:00Z", cursor=events[0]["id"])
        assert await many.take("news", 1) == events[1:]
        await many.subscribe("news", cursor=events[0]["id"], since="2999-01-01T00:00:00Z")
        live = await server.publish("news", 3)
        assert await many.take("news", 1) == live


async def test_a_filter_lets_only_its_types_through_and_tells_where_it_is(engine_url: str, tmp_path: Path) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", WITH) as server, multiplexed(server) as many:
        await server.create("news")
        await many.subscribe("news", types=["a", "b"])
        await server.publish("news", 1)
        wanted = await server.publish("news", 2, 3, type="b")
        assert await many.take("news", 2) == wanted
        unwanted = await server.publish("news", 4, type="c")
        assert (await many.until("position"))["position"] == {"news": unwanted[0]["id"]}
        assert await many.subscribe("news", cursor=unwanted[0]["id"], types=["a"])
        wanted = await server.publish("news", 5, type="a")
        assert await many.take("news", 1) == wanted


async def test_positions_are_told_together_and_not_for_channels_whose_last_event_was_sent(
    engine_url: str, tmp_path: Path
) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", WITH) as server, multiplexed(server) as many:
        last = {}
        for channel in ("one", "two", "all"):
            await server.create(channel)
            await many.subscribe(channel, types=[] if channel == "all" else ["wanted"])
            last[channel] = (await server.publish(channel, 1, 2))[-1]["id"]
        positions = [each["position"] for each in many.told if "position" in each]
        while {"one", "two"} - {channel for told in positions for channel in told}:
            positions.append((await many.until("position"))["position"])
        for told in positions:
            assert "all" not in told and all(cursor <= last[channel] for channel, cursor in told.items())


async def test_subscribing_again_goes_on_from_the_new_cursor_only(server: BrokerServer) -> None:
    events = await server.publish("news", *range(10))
    async with multiplexed(server) as many:
        await many.subscribe("news", cursor=events[4]["id"])
        assert await many.take("news", 5) == events[5:]
        await many.subscribe("news", cursor=events[7]["id"], types=["x"])
        wanted = await server.publish("news", "wanted", type="x")
        assert await many.take("news", 1) == wanted
        assert server.broker.hub.readers(await server.broker.channels.find("news")) == 1


async def test_unsubscribing_tells_the_cursor_of_the_last_event_that_was_sent(server: BrokerServer) -> None:
    events = [event for _ in range(5) for event in await server.publish("news", *range(100))]
    async with multiplexed(server) as many:
        await many.say(subscribe={"channel": "news", "cursor": await start_of(server, "news")})
        await many.say(unsubscribe={"channel": "news"})
        cursor = (await many.until("unsubscribed"))["unsubscribed"]["cursor"]
        got = many.events["news"]
        assert got == events[: len(got)]
        assert cursor == (got[-1]["id"] if got else await start_of(server, "news"))
        await server.publish("news", "unheard")
        assert await many.refused(unsubscribe={"channel": "news"}) == (404, "Not subscribed to this channel")
        assert many.events["news"] == got


async def test_a_gap_is_told_before_the_first_event_or_refused_where_asked(server: BrokerServer) -> None:
    start, events = await start_of(server, "news"), await server.publish("news", *range(10))
    await trim(server, "news", 3)
    async with multiplexed(server) as many:
        refused = (await many.ask(subscribe={"channel": "news", "cursor": start, "on_gap": "error"}))["error"]
        assert (refused["status"], refused["error"], refused["oldest"]) == (410, "cursor_expired", events[7]["id"])
        begun = await many.subscribe("news", cursor=start)
        assert begun == {
            "channel": "news",
            "cursor": events[6]["id"],
            "tail": events[9]["id"],
            "complete": False,
            "oldest": events[7]["id"],
        }
        assert await many.take("news", 3) == events[7:]
        assert (await many.subscribe("news", cursor=events[6]["id"], on_gap="error"))["complete"]


async def test_a_gap_with_nothing_left_has_no_oldest(server: BrokerServer) -> None:
    start, events = await start_of(server, "news"), await server.publish("news", 1, 2)
    await trim(server, "news", 1)
    headers = server.bearer("admin")
    await server.http.delete(f"{API}/channels/news/events/{events[1]['id']}", headers=headers)
    async with multiplexed(server) as many:
        begun = await many.subscribe("news", cursor=start)
        assert (begun["complete"], begun["oldest"]) == (False, None)
        live = await server.publish("news", 3)
        assert await many.take("news", 1) == live


async def test_a_cursor_of_another_channel_counts_as_a_time(server: BrokerServer) -> None:
    news = await server.publish("news", 1)
    other = await server.publish("other", 2)
    async with multiplexed(server) as many:
        begun = await many.subscribe("other", cursor=news[0]["id"])
        assert begun["complete"]
        assert await many.take("other", 1) == other


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        ({"channel": "none"}, (404, "Channel not found")),
        ({"channel": "X"}, (404, "Channel not found")),
        ({"channel": "secret"}, (401, "Subscribe token required for private channel")),
        ({"channel": "secret", "cursor": "x"}, (401, "Subscribe token required for private channel")),
        ({"channel": "news", "cursor": "x"}, (400, "cursor must be the id of an event")),
        ({"channel": "news", "since": "noon"}, (400, "since must be an ISO 8601 time")),
        ({"channel": "news", "types": [str(i) for i in range(33)]}, (400, "At most 32 types can be asked for")),
    ],
)
async def test_what_cannot_be_followed_is_refused_and_the_socket_goes_on(
    server: BrokerServer, command: dict[str, Any], refusal: tuple[int, str]
) -> None:
    await server.create("secret", is_public=False)
    async with multiplexed(server) as many:
        await many.subscribe("news")
        assert await many.refused(subscribe=command) == refusal
        events = await server.publish("news", 1)
        assert await many.take("news", 1) == events


async def test_a_channel_created_again_is_followed_anew(server: BrokerServer) -> None:
    await server.publish("news", "old")
    stale = await server.broker.channels.find("news")
    async with multiplexed(server) as many:
        await server.broker.channels.delete("news")
        await server.create("news")
        server.broker.channels._remember(stale)  # as in a process that has not heard of it
        await many.subscribe("news")
        events = await server.publish("news", "new")
        assert await many.take("news", 1) == events


async def test_what_a_channel_was_neither_refuses_nor_admits(server: BrokerServer) -> None:
    """Another process has changed it, and this one has not heard of it."""
    public = await server.broker.channels.find("news")
    private = await server.change("news", is_public=False)
    events = await server.publish("news", 1, 2)
    async with multiplexed(server) as many:
        server.broker.channels._remember(public)
        await many.subscribe("news", cursor=await start_of(server, "news"))
        assert (await many.until("ended"))["ended"]["code"] == 4403
        assert many.events["news"] == []
        await server.change("news", is_public=True)
        server.broker.channels._remember(private)
        await many.subscribe("news", cursor=events[0]["id"])
        assert await many.take("news", 1) == events[1:]


async def test_a_socket_follows_so_many_channels_and_no_more(engine_url: str, tmp_path: Path) -> None:
    overrides = {"limits": {"multiplex_channels": 3}}
    async with running_broker(engine_url, tmp_path / "key.json", overrides) as server, multiplexed(server) as many:
        names = [f"c{i:02}" for i in range(4)]
        for name in names:
            await server.create(name)
        for name in names[:3]:
            await many.subscribe(name)
        full = (429, "A socket follows at most 3 channels")
        assert await many.refused(subscribe={"channel": names[3]}) == full
        await many.subscribe(names[0])
        await many.ask(unsubscribe={"channel": names[0]})
        await many.subscribe(names[3])
        events = await server.publish(names[3], 1)
        assert await many.take(names[3], 1) == events


async def test_128_channels_on_one_socket_need_no_task_each(server: BrokerServer) -> None:
    names = [f"c{i:03}" for i in range(128)]
    await asyncio.gather(*(server.create(name) for name in names))
    async with multiplexed(server) as many:
        before = len(asyncio.all_tasks())
        for name in names:
            await many.say(subscribe={"channel": name})
        while len(many.told) < 128:
            await many.hear()
        assert len(asyncio.all_tasks()) <= before + 2
        for name in names:
            await server.publish(name, name)
        for name in names:
            assert [event["data"] for event in await many.take(name, 1)] == [name]
