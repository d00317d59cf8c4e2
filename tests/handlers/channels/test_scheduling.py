"""Scheduled publishes: they wait, are published at their time by a timer, and are checked again then."""

import asyncio
from typing import Any

import httpx2
import pytest

from broker.ids import render_time
from handlers.channels.scheduled_operations import MEMBERS
from tests.broker.forge import forge, key_of
from tests.broker_server import API, BrokerServer

HOUR_MS = 3_600_000
PARTNER = key_of("partner", 3)
EVENTS, SCHEDULED = f"{API}/channels/news/events", f"{API}/channels/news/scheduled"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    """A broker with a channel."""
    await broker_server.create("news")
    return broker_server


async def later(server: BrokerServer, ms: int = HOUR_MS) -> str:
    return render_time(await server.broker.engine.now_ms() + ms)


async def schedule(
    server: BrokerServer, body: dict[str, Any], *, sub: str = "ann", key: str | None = None, token: str | None = None
) -> httpx2.Response:
    headers = server.bearer("pub:news", sub=sub) if token is None else {"Authorization": f"Bearer {token}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    return await server.http.post(EVENTS, json={"publish_at": await later(server), **body}, headers=headers)


async def show(server: BrokerServer, scheduled_id: str, *, sub: str = "ann") -> httpx2.Response:
    return await server.http.get(f"{SCHEDULED}/{scheduled_id}", headers=server.bearer("pub:news", sub=sub))


async def advance(server: BrokerServer, ms: int) -> None:
    answer = await server.http.post("/admin/clock", json={"advance_ms": ms}, headers=server.bearer("admin"))
    assert answer.status_code == 200


async def settled(server: BrokerServer, scheduled_id: str) -> dict[str, Any]:
    """What became of it."""
    async with asyncio.timeout(5):
        while (shown := (await show(server, scheduled_id)).json())["status"] == "scheduled":
            await asyncio.sleep(0.01)
    result: dict[str, Any] = shown
    return result


async def events(server: BrokerServer) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = (await server.http.get(EVENTS)).json()["events"]
    return page


async def test_it_is_published_at_its_time_as_if_it_had_been_sent_then(server: BrokerServer) -> None:
    at = await later(server)
    answer = await schedule(server, {"data": {"n": 1}, "type": "t", "meta": {"a": 1}, "publish_at": at})
    assert answer.status_code == 202 and answer.json()["scheduled"]["publish_at"] == at
    scheduled_id = answer.json()["scheduled"]["id"]
    await advance(server, HOUR_MS - 10_000)
    await asyncio.sleep(0.1)
    assert await events(server) == [] and (await show(server, scheduled_id)).json()["status"] == "scheduled"
    async with server.socket("/channels/news/ws") as socket:
        await advance(server, 10_000)
        assert '"n":1' in str(await asyncio.wait_for(socket.recv(), 5))
    [event] = await events(server)
    assert (event["type"], event["publisher_id"], event["meta"]) == ("t", "ann", '{"a":1}')
    assert event["created_at"] >= at
    assert (await settled(server, scheduled_id))["status"] == "published"
    assert (await server.http.get(SCHEDULED, headers=server.bearer("admin"))).json() == {"scheduled": []}


async def test_a_batch_is_published_as_one(server: BrokerServer) -> None:
    answer = await schedule(server, {"events": [{"data": n} for n in range(3)]})
    await advance(server, HOUR_MS)
    assert (await settled(server, answer.json()["scheduled"]["id"]))["status"] == "published"
    assert [each["data"] for each in await events(server)] == [0, 1, 2]


async def test_real_time_will_do_too(server: BrokerServer) -> None:
    answer = await schedule(server, {"data": 1, "publish_at": await later(server, 150)})
    assert (await settled(server, answer.json()["scheduled"]["id"]))["status"] == "published"


@pytest.mark.parametrize("publish_at", ["soon", 5, "", [], "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", True])
async def test_times_that_are_none_or_make_no_sense_are_400(server: BrokerServer, publish_at: Any) -> None:
    answer = await schedule(server, {"data": 1, "publish_at": publish_at})
    assert answer.status_code == 400 and "publish_at" in answer.json()["error"]
    assert await events(server) == []


async def test_null_is_now_and_a_time_within_a_batch_is_400(server: BrokerServer) -> None:
    assert (await schedule(server, {"data": 1, "publish_at": None})).status_code == 201
    answer = await schedule(server, {"events": [{"data": 1, "publish_at": await later(server)}]})
    assert answer.status_code == 400


async def test_one_sees_and_takes_back_ones_own_and_an_admin_all(server: BrokerServer) -> None:
    ids = {}
    for sub in ("ann", "bob"):
        answer = await schedule(server, {"data": sub, "publish_at": await later(server, HOUR_MS)}, sub=sub)
        ids[sub] = answer.json()["scheduled"]["id"]
    listed = (await server.http.get(SCHEDULED, headers=server.bearer("pub:news", sub="ann"))).json()["scheduled"]
    assert [(each["id"], each["publisher_id"], each["event_count"]) for each in listed] == [(ids["ann"], "ann", 1)]
    listed = (await server.http.get(SCHEDULED, headers=server.bearer("admin"))).json()["scheduled"]
    assert [each["id"] for each in listed] == [ids["ann"], ids["bob"]]
    assert set(listed[0]) == set(MEMBERS)
    assert (await show(server, ids["bob"])).status_code == 403
    foreign = await server.http.delete(f"{SCHEDULED}/{ids['bob']}", headers=server.bearer("pub:news", sub="ann"))
    assert foreign.status_code == 403
    for scheduled_id in ids.values():
        taken = await server.http.delete(f"{SCHEDULED}/{scheduled_id}", headers=server.bearer("admin"))
        assert taken.status_code == 204
        again = await server.http.delete(f"{SCHEDULED}/{scheduled_id}", headers=server.bearer("admin"))
        assert again.status_code == 404
    await advance(server, 2 * HOUR_MS)
    await asyncio.sleep(0.1)
    assert await events(server) == []


async def test_all_that_wait_are_taken_back_ones_own_or_everybodys(server: BrokerServer) -> None:
    for sub in ("ann", "bob", "ann"):
        assert (await schedule(server, {"data": sub}, sub=sub)).status_code == 202
    ann = await server.http.delete(SCHEDULED, headers=server.bearer("pub:news", sub="ann"))
    assert ann.status_code == 204
    listed = (await server.http.get(SCHEDULED, headers=server.bearer("admin"))).json()["scheduled"]
    assert [each["publisher_id"] for each in listed] == ["bob"]
    assert (await server.http.delete(SCHEDULED, headers=server.bearer("admin"))).status_code == 204
    assert (await server.broker.timers.pending(limit=5)).total == 0
    await advance(server, HOUR_MS)
    await asyncio.sleep(0.1)
    assert await events(server) == []


async def test_what_was_published_is_not_taken_back(server: BrokerServer) -> None:
    scheduled_id = (await schedule(server, {"data": 1})).json()["scheduled"]["id"]
    await advance(server, HOUR_MS)
    await settled(server, scheduled_id)
    answer = await server.http.delete(f"{SCHEDULED}/{scheduled_id}", headers=server.bearer("admin"))
    assert answer.status_code == 409
    await advance(server, 8 * 24 * HOUR_MS)
    assert (await show(server, scheduled_id)).status_code == 404


async def test_types_that_became_strict_are_checked_when_it_fires(server: BrokerServer) -> None:
    scheduled_id = (await schedule(server, {"data": 1, "type": "t"})).json()["scheduled"]["id"]
    await server.change("news", config={"strict_types": True, "types": {"t": {"schema": {"type": "string"}}}})
    assert (await schedule(server, {"data": 1, "type": "t"})).status_code == 400
    await advance(server, HOUR_MS)
    shown = await settled(server, scheduled_id)
    assert shown["status"] == "failed" and shown["error"]
    assert await events(server) == []


async def test_a_key_that_was_removed_no_longer_publishes(server: BrokerServer) -> None:
    await server.trust(PARTNER, max_scopes=["pub:*"])
    token = forge({"scopes": ["pub:news"], "sub": "ann"}, PARTNER)
    scheduled_id = (await schedule(server, {"data": 1}, token=token)).json()["scheduled"]["id"]
    await server.distrust(PARTNER.kid)
    await advance(server, HOUR_MS)
    async with asyncio.timeout(5):
        headers = server.bearer("admin")
        while (shown := (await server.http.get(f"{SCHEDULED}/{scheduled_id}", headers=headers)).json())[
            "status"
        ] == "scheduled":
            await asyncio.sleep(0.01)
    assert shown["status"] == "failed" and "trusted" in shown["error"]
    assert await events(server) == []


async def test_a_token_that_has_expired_by_then_does_not_matter(server: BrokerServer) -> None:
    token = server.token("pub:news", sub="ann", expires_in_s=2)
    scheduled_id = (await schedule(server, {"data": 1}, token=token)).json()["scheduled"]["id"]
    await asyncio.sleep(2.1)
    await advance(server, HOUR_MS)
    assert (await settled(server, scheduled_id))["status"] == "published"


async def test_a_reply_to_what_is_gone_fails(server: BrokerServer) -> None:
    [parent] = await server.publish("news", "parent")
    scheduled_id = (await schedule(server, {"data": 1, "reply_to": parent["id"]})).json()["scheduled"]["id"]
    await server.http.delete(f"{EVENTS}/{parent['id']}", headers=server.bearer("admin"))
    await advance(server, HOUR_MS)
    assert "reply_to" in (await settled(server, scheduled_id))["error"]


async def test_a_channel_that_was_made_again_gets_nothing_of_the_old_one(server: BrokerServer) -> None:
    scheduled_id = (await schedule(server, {"data": 1})).json()["scheduled"]["id"]
    await server.broker.channels.delete("news")
    await server.create("news")
    assert (await show(server, scheduled_id)).status_code == 404
    await advance(server, HOUR_MS)
    timers = server.broker.timers
    async with asyncio.timeout(5):
        while (await timers.pending(limit=5)).total:
            await asyncio.sleep(0.01)
    assert await events(server) == []


async def test_a_channel_that_is_gone_ends_the_timer(server: BrokerServer) -> None:
    await schedule(server, {"data": 1})
    await server.broker.channels.delete("news")
    await advance(server, HOUR_MS)
    async with asyncio.timeout(5):
        while (await server.broker.timers.pending(limit=5)).total:
            await asyncio.sleep(0.01)
    names = [name async for name in server.broker.engine.client.scan_iter(count=1_000)]
    assert not [name for name in names if b":state:" in name]


async def test_the_same_key_schedules_once_and_is_answered_alike_also_when_it_is_over(server: BrokerServer) -> None:
    at = await later(server)
    first = await schedule(server, {"data": 1, "publish_at": at}, key="k")
    await advance(server, HOUR_MS + 120_000)
    await settled(server, first.json()["scheduled"]["id"])
    again = await schedule(server, {"data": 1, "publish_at": at}, key="k")
    assert again.status_code == 202 and again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await events(server)) == 1


async def test_a_key_of_one_publish_is_not_one_of_another(server: BrokerServer) -> None:
    at = await later(server)
    assert (await schedule(server, {"data": 1, "publish_at": at}, key="a")).status_code == 202
    assert (await schedule(server, {"data": 1, "publish_at": None}, key="a")).status_code == 422
    assert (await schedule(server, {"data": 1, "publish_at": await later(server, 9_000)}, key="a")).status_code == 422
    assert (await schedule(server, {"data": 1, "publish_at": None}, key="b")).status_code == 201
    assert (await schedule(server, {"data": 1, "publish_at": at}, key="b")).status_code == 422


async def test_no_more_wait_on_a_channel_than_may(server: BrokerServer) -> None:
    most = server.broker.limits.scheduled_per_channel
    answers = [await schedule(server, {"data": n}) for n in range(most)]
    assert {each.status_code for each in answers} == {202}
    refused = await schedule(server, {"data": "one more"})
    assert refused.status_code == 429 and "Retry-After" in refused.headers


async def test_timers_tell_operators_what_will_be_published(server: BrokerServer) -> None:
    answer = await schedule(server, {"data": 1})
    shown = (await server.http.get("/admin/timers", headers=server.bearer("admin"))).json()["timers"]
    [timer] = shown
    assert (timer["kind"], timer["owner"]) == ("publish", "news")
    assert timer["subject"].endswith(answer.json()["scheduled"]["id"])
    assert timer["due_at"] == answer.json()["scheduled"]["publish_at"]


async def test_a_socket_publishes_at_once_or_not_at_all(server: BrokerServer) -> None:
    async with server.socket("/ws", server.token("pub:news", sub="ann")) as socket:
        at = await later(server)
        await socket.send(f'{{"publish": {{"channel": "news", "data": 1, "publish_at": "{at}"}}}}')
        assert "POST" in str(await asyncio.wait_for(socket.recv(), 5))
    assert await events(server) == []
