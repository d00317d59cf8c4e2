"""The log read backwards: pages meet without a gap or a repetition, filtered ones too, and say where the log begins."""

import asyncio
from typing import Any

import pytest

from tests.broker_server import API, BrokerServer

HISTORY = f"{API}/channels/news/history"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


async def read_back(server: BrokerServer, query: str) -> tuple[list[Any], Any]:
    """All pages from the end to the beginning, joined in the order of the log, and the last one."""
    found: list[Any] = []
    before = ""
    while True:
        page = (await server.http.get(f"{HISTORY}?{query}{before}")).json()
        found = [event["data"] for event in page["events"]] + found
        if not page["has_more"]:
            return found, page
        before = f"&before={page['cursor']}"


async def test_pages_towards_the_beginning_join_to_the_whole_log(server: BrokerServer) -> None:
    await server.publish("news", *range(25))
    found, last = await read_back(server, "limit=10")
    assert found == list(range(25)) and last["complete"] is True
    found, _ = await read_back(server, "limit=25")
    assert found == list(range(25))


async def test_an_empty_log_and_the_place_before_the_first_event_have_nothing(server: BrokerServer) -> None:
    empty = (await server.http.get(HISTORY)).json()
    assert (empty["events"], empty["has_more"], empty["complete"]) == ([], False, True)
    [event] = await server.publish("news", 1)
    first = (await server.http.get(f"{HISTORY}?before={event['id']}")).json()
    assert (first["events"], first["has_more"]) == ([], False)


async def test_a_page_of_history_and_a_poll_meet_at_an_event(server: BrokerServer) -> None:
    events = await server.publish("news", *range(6))
    page = (await server.http.get(f"{HISTORY}?before={events[3]['id']}&limit=2")).json()
    assert page["events"] == events[1:3] and page["cursor"] == events[1]["id"]
    after = (await server.http.get(f"{API}/channels/news/events?cursor={page['cursor']}")).json()
    assert after["events"] == events[2:]


async def test_a_filter_shows_its_types_only(server: BrokerServer) -> None:
    for number in range(12):
        await server.publish("news", number, type="ab"[number % 2])
    found, _ = await read_back(server, "limit=2&types=a")
    assert found == [0, 2, 4, 6, 8, 10]


async def test_a_log_that_lost_its_beginning_says_so(server: BrokerServer) -> None:
    await server.publish("news", *range(10))
    await server.change("news", config={"storage": {"retention_events": 3}})
    async with asyncio.timeout(30):
        while (await server.http.get(f"{HISTORY}?limit=10")).json()["complete"]:
            await asyncio.sleep(0.01)
    found, last = await read_back(server, "limit=2")
    assert found == [7, 8, 9] and last["complete"] is False


@pytest.mark.parametrize("query", ["before=x", "limit=0", "limit=101", "limit=x"])
async def test_a_bad_query_is_refused(server: BrokerServer, query: str) -> None:
    answer = await server.http.get(f"{HISTORY}?{query}")
    assert answer.status_code == 400 and isinstance(answer.json()["error"], str)
