"""Going on from a cursor or a time, and the log of deliveries: gaps, pages, and whose it is."""

import asyncio
from typing import Any

import pytest

from tests.broker_server import API, BrokerServer
from tests.handlers.channels.deliveries.calls import WEBHOOKS, ask, follow, rows
from tests.receivers import Receiver, receiving, status
from tidemark_client.ids import cursor_before


async def test_a_replay_from_a_cursor_or_a_time_is_exact(server: BrokerServer, receiver: Receiver) -> None:
    early = await server.publish("news", "never registered for")
    webhook = await follow(server, receiver.url)
    events = await server.publish("news", *range(40))
    await receiver.took(40)
    for body, expected in (
        ({"cursor": events[9]["id"]}, list(range(10, 40))),
        ({"cursor": cursor_before(events[0]["id"])}, list(range(40))),
        ({"cursor": cursor_before(early[0]["id"])}, ["never registered for", *range(40)]),
        ({"since": "2020-01-01T00:00:00Z"}, ["never registered for", *range(40)]),
        ({"since": "2100-01-01T00:00:00Z"}, []),
    ):
        receiver.taken.clear()
        shown = await ask(server, "POST", f"{webhook['id']}/replay", json=body)
        assert shown["deliveries"]["status"] == "active"
        assert await receiver.took(len(expected)) == expected
        await server.publish("news", "end")
        assert await receiver.took(len(expected) + 1) == [*expected, "end"]
        await server.http.delete(
            f"{API}/channels/news/events/{receiver.taken[-1].event['id']}", headers=server.bearer("admin")
        )


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"cursor": 5}, {"cursor": "x"}, {"since": "x"}, {"cursor": None}, {"cursor": "", "since": ""}],
)
async def test_a_replay_from_nowhere_is_400_and_moves_nothing(
    server: BrokerServer, receiver: Receiver, body: Any
) -> None:
    webhook = await follow(server, receiver.url)
    headers = server.bearer("sub:*", sub="ann")
    answer = await server.http.post(f"{WEBHOOKS}/{webhook['id']}/replay", json=body, headers=headers)
    assert answer.status_code == 400 and "error" in answer.json()


async def test_what_retention_removed_before_it_was_delivered_is_named_in_the_log(server: BrokerServer) -> None:
    async with receiving(status(500)) as receiver:
        webhook = await follow(server, receiver.url)
        events = await server.publish("news", *range(3))
        await rows(server, webhook, 1)
        await server.change("news", config={"storage": {"retention_events": 1}})
        async with asyncio.timeout(5):
            # One that the channel keeps, and as many again for who is behind.
            while len((await server.http.get(f"{API}/channels/news/events")).json()["events"]) > 2:
                await asyncio.sleep(0.02)
        receiver.answer = status(200)
        await ask(server, "POST", f"{webhook['id']}/resume")
        assert await receiver.took(2) == [1, 2]
        [gap] = await rows(server, webhook, 1, "?verdict=gap")
        assert gap["after"] < events[0]["id"] and gap["until"] == events[0]["id"]


async def test_the_log_is_paged_and_of_its_owner_only(server: BrokerServer, receiver: Receiver) -> None:
    webhook = await follow(server, receiver.url)
    await server.publish("news", *range(5))
    await rows(server, webhook, 5)
    first = await ask(server, "GET", f"{webhook['id']}/deliveries?limit=3")
    second = await ask(server, "GET", f"{webhook['id']}/deliveries?limit=3&before={first['before']}")
    assert [each["number"] for each in first["deliveries"] + second["deliveries"]] == [4, 3, 2, 1, 0]
    assert second["before"] is None
    for path in ("", "/deliveries", "/resume", "/replay"):
        method = "POST" if path in ("/resume", "/replay") else "GET"
        answer = await server.http.request(
            method, f"{WEBHOOKS}/{webhook['id']}{path}", json={}, headers=server.bearer("sub:*", sub="eve")
        )
        assert answer.status_code == 403
    for query in ("limit=0", "limit=101", "before=x", "verdict=x", "before=-1"):
        answer = await server.http.get(
            f"{WEBHOOKS}/{webhook['id']}/deliveries?{query}", headers=server.bearer("sub:*", sub="ann")
        )
        assert answer.status_code == 400, query
