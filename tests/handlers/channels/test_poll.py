"""Polling: pages, cursors, gaps, caching and long polls (contract sections 8 and 16)."""

import asyncio
from typing import Any

import pytest

from broker.ids import Position, render_ulid
from tests.broker_server import API, BrokerServer

EVENTS = f"{API}/channels/news/events"
FOREIGN = "01HZQX5K9V6BMRJ3WYAT0GN1PH"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


async def get(server: BrokerServer, query: str = "", **headers: str) -> Any:
    return await server.http.get(f"{EVENTS}{query}", headers=headers)


async def page(server: BrokerServer, query: str = "") -> dict[str, Any]:
    answer = await get(server, query)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def trim_to(server: BrokerServer, channel: str, events: int) -> None:
    """Keep the newest events only."""
    await server.change(channel, config={"storage": {"retention_events": events}})
    while len((await page(server, "?limit=100"))["events"]) > events:
        await asyncio.sleep(0.02)


async def test_an_empty_channel_answers_a_cursor_from_which_nothing_is_missed(server: BrokerServer) -> None:
    empty = await page(server)
    assert (empty["events"], empty["has_more"], empty["complete"]) == ([], False, True)
    events = await server.publish("news", 1, 2)
    assert (await page(server, f"?cursor={empty['cursor']}"))["events"] == events


async def test_without_a_cursor_the_newest_events_come_in_ascending_order(server: BrokerServer) -> None:
    events = await server.publish("news", *range(5))
    newest = await page(server, "?limit=2")
    assert newest["events"] == events[3:]
    assert (newest["cursor"], newest["has_more"]) == (events[4]["id"], False)


async def test_pages_put_together_are_the_log(server: BrokerServer) -> None:
    cursor = (await page(server))["cursor"]
    events = await server.publish("news", *range(7))
    seen, more = [], True
    while more:
        part = await page(server, f"?cursor={cursor}&limit=3")
        seen += part["events"]
        cursor, more = part["cursor"], part["has_more"]
    assert seen == events
    assert await page(server, f"?cursor={cursor}") == {
        "events": [],
        "cursor": cursor,
        "has_more": False,
        "complete": True,
    }


async def test_a_filter_lets_its_types_through_and_moves_the_cursor_past_the_others(server: BrokerServer) -> None:
    start = (await page(server))["cursor"]
    await server.publish("news", 1, type="a")
    await server.publish("news", 2)
    last = (await server.publish("news", 3, type="b"))[0]
    assert [event["data"] for event in (await page(server, f"?cursor={start}&type=a, c"))["events"]] == [1]
    assert (await page(server, f"?cursor={start}&types=a"))["cursor"] == last["id"]


async def test_since_is_exclusive_and_both_conditions_apply(server: BrokerServer) -> None:
    first = (await server.publish("news", 1))[0]
    await asyncio.sleep(0.002)
    second = (await server.publish("news", 2))[0]
    assert [e["data"] for e in (await page(server, f"?since={first['created_at']}"))["events"]] == [2]
    assert [e["data"] for e in (await page(server, "?since=2020-01-01"))["events"]] == [1, 2]
    assert (await page(server, f"?since=2020-01-01&cursor={second['id']}"))["events"] == []


async def test_the_cursor_of_a_deleted_event_keeps_its_place(server: BrokerServer) -> None:
    events = await server.publish("news", 1, 2, 3)
    answer = await server.http.delete(f"{EVENTS}/{events[1]['id']}", headers=server.bearer("admin"))
    assert answer.status_code == 204
    assert (await page(server, f"?cursor={events[1]['id']}"))["events"] == events[2:]
    assert (await page(server, f"?cursor={events[0]['id']}"))["events"] == events[2:]


async def test_a_foreign_cursor_counts_as_a_time(server: BrokerServer) -> None:
    events = await server.publish("news", 1, 2)
    assert (await page(server, f"?cursor={FOREIGN}"))["events"] == events
    future = render_ulid("ZZZZZZZZZ", Position(1 << 47, 0))
    tip = await page(server, f"?cursor={future}")
    assert (tip["events"], tip["cursor"], tip["complete"]) == ([], events[1]["id"], True)


async def test_an_own_cursor_above_the_top_is_a_gap(server: BrokerServer) -> None:
    last = (await server.publish("news", 1))[0]["id"]
    above = last[:8] + "ZZ" + last[10:]
    lost = await page(server, f"?cursor={above}")
    assert (lost["events"], lost["cursor"], lost["complete"]) == ([], last, False)


async def test_a_gap_is_said_with_the_oldest_id_and_the_page_starts_there(server: BrokerServer) -> None:
    start = (await page(server))["cursor"]
    events = await server.publish("news", *range(10))
    await trim_to(server, "news", 3)
    lost = await page(server, f"?cursor={start}")
    assert (lost["events"], lost["complete"], lost["oldest"]) == (events[7:], False, events[7]["id"])
    whole = await page(server, f"?cursor={events[6]['id']}")
    assert whole["complete"] and "oldest" not in whole
    assert (await get(server, f"?cursor={start}&on_gap=error")).status_code == 410


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "limit=", "cursor=!!", "cursor=", "since=yesterday", "wait=31", "on_gap=x"],
)
async def test_a_malformed_query_is_400(server: BrokerServer, query: str) -> None:
    answer = await get(server, f"?{query}")
    assert (answer.status_code, "error" in answer.json()) == (400, True)


async def test_a_public_page_is_cacheable_exactly_as_promised(server: BrokerServer) -> None:
    answer = await get(server)
    assert answer.headers["Cache-Control"] == "public, s-maxage=2"
    assert "Vary" not in answer.headers and answer.headers["Access-Control-Allow-Origin"] == "*"
    again = await get(server, **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    await server.publish("news", 1)
    assert (await get(server, **{"If-None-Match": answer.headers["ETag"]})).status_code == 200


@pytest.mark.parametrize("query", ["?wait=1", "?token=x"])
async def test_what_is_held_or_came_with_a_token_is_not_cacheable(server: BrokerServer, query: str) -> None:
    await server.publish("news", 1)
    assert "no-store" in (await get(server, query)).headers["Cache-Control"]


async def test_a_private_channel_is_read_by_its_scope_only_and_never_cached(server: BrokerServer) -> None:
    await server.create("secret", is_public=False)
    path = f"{API}/channels/secret/events"
    for headers, status in ((None, 401), (server.bearer("pub:secret"), 403), (server.bearer("sub:secret"), 200)):
        answer = await server.http.get(path, headers=headers)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "private, no-store")
    assert (await server.http.get(f"{path}?token={server.token('sub:secret')}")).status_code == 200


async def test_a_long_poll_answers_as_soon_as_there_is_an_event(server: BrokerServer) -> None:
    cursor = (await page(server))["cursor"]
    held = asyncio.create_task(page(server, f"?cursor={cursor}&wait=20&types=b"))
    while not server.broker.hub.readers(await server.broker.channels.find("news")):
        await asyncio.sleep(0.01)
    await server.publish("news", 1, type="a")
    events = await server.publish("news", 2, type="b")
    assert (await asyncio.wait_for(held, 5))["events"] == events


async def test_a_long_poll_without_events_ends_with_an_empty_page(server: BrokerServer) -> None:
    cursor = (await page(server))["cursor"]
    assert (await page(server, f"?cursor={cursor}&wait=1"))["events"] == []


async def test_a_drain_ends_long_polls_at_once(server: BrokerServer) -> None:
    held = asyncio.create_task(page(server, "?wait=20"))
    while not server.broker.hub.readers(await server.broker.channels.find("news")):
        await asyncio.sleep(0.01)
    server.drain.begin()
    assert (await asyncio.wait_for(held, 5))["events"] == []
