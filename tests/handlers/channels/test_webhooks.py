"""Registering, listing and removing webhooks over HTTP (contract section 10, section 14 rows 14 and 20)."""

import asyncio
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from broker.ids import render_time
from broker.storage.channels import keys_of
from broker.storage.connect import answered
from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.channels.webhook_calls import SECRET, URL, WEBHOOKS, listed, post, registered


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    await broker_server.create("secret", is_public=False)
    return broker_server


def seconds_between(webhook: dict[str, Any]) -> float:
    created, expires = (datetime.fromisoformat(webhook[name]) for name in ("created_at", "expires_at"))
    return (expires - created).total_seconds()


async def test_a_webhook_is_answered_as_the_contract_shows(server: BrokerServer) -> None:
    webhook = await registered(server, event_types=["price.update", "alert"], ttl_seconds=86_400)
    assert list(webhook) == ["id", "channel_id", "url", "event_types", "expires_at", "created_at", "secret"]
    assert re.fullmatch("wh_[0-9A-Z]{26}", webhook["id"])
    assert (webhook["channel_id"], webhook["url"]) == ("news", URL)
    assert webhook["event_types"] == ["price.update", "alert"]
    assert seconds_between(webhook) == 86_400
    assert render_time(ULID.from_str(webhook["id"][3:]).milliseconds) == webhook["created_at"]


async def test_without_more_than_a_url_it_gets_all_events_for_three_days(server: BrokerServer) -> None:
    webhook = await registered(server)
    assert (webhook["event_types"], seconds_between(webhook)) == (None, 259_200)
    assert seconds_between(await registered(server, url=f"{URL}/2", ttl_seconds=9_999_999)) == 2_592_000


async def test_the_same_url_again_renews_the_webhook(server: BrokerServer) -> None:
    headers = server.bearer("sub:news", sub="ann")
    first = await registered(server, headers=headers, event_types=["a"], ttl_seconds=60)
    server.broker.engine.clock_offset_ms = 30_000
    again = await registered(server, headers=headers, url="HTTPS://hooks.example.com:443/market#x", ttl_seconds=60)
    assert (again["id"], again["created_at"], again["url"]) == (first["id"], first["created_at"], URL)
    assert (again["event_types"], again["expires_at"] > first["expires_at"]) == (None, True)
    assert "secret" in first and "secret" not in again
    assert await listed(server, headers) == [first["id"]]


async def test_a_retry_shows_the_secret_again_for_ten_minutes_and_then_does_nothing(server: BrokerServer) -> None:
    headers = server.bearer("sub:news", sub="ann") | {"Idempotency-Key": "k"}
    first = await post(server, headers=headers, url=URL)
    again = await post(server, headers=headers, url=URL)
    assert again.json() == first.json() and "secret" in first.json()
    server.broker.engine.clock_offset_ms += 601_000
    late = await post(server, headers=headers, url=URL)
    assert (late.status_code, late.json()["code"]) == (409, "idempotency_expired")
    assert len(await listed(server, server.bearer("sub:news", sub="ann"))) == 1


async def test_the_same_url_of_another_caller_is_another_webhook(server: BrokerServer) -> None:
    ann, bob = server.bearer("sub:news", sub="ann"), server.bearer("sub:news", sub="bob")
    first = await registered(server, headers=ann, event_types=["a"])
    assert first.pop("secret").startswith("whsec_"), "it is shown once"
    others = [await registered(server, headers=headers, ttl_seconds=1) for headers in (bob, None)]
    assert len({first["id"], *(each["id"] for each in others)}) == 3
    assert (await server.http.get(WEBHOOKS, headers=ann)).json() == {"webhooks": [first]}


async def test_an_owner_sees_its_own_and_an_admin_all(server: BrokerServer) -> None:
    ann, bob = server.bearer("sub:news", sub="ann"), server.bearer("pub:news", sub="bob")
    mine = [(await registered(server, headers=ann, url=f"{URL}/{number}"))["id"] for number in range(2)]
    his = (await registered(server, headers=bob))["id"]
    anonymous = (await registered(server))["id"]
    assert await listed(server, ann) == mine
    assert await listed(server, bob) == [his]
    assert await listed(server, server.bearer("sub:*", sub="eve")) == []
    assert sorted(await listed(server, server.bearer("admin"))) == sorted([*mine, his, anonymous])
    by_query = await server.http.get(f"{WEBHOOKS}?token={server.token('sub:news', sub='ann')}")
    assert len(by_query.json()["webhooks"]) == 2
    assert by_query.headers["Cache-Control"] == "private, no-store"


async def test_only_the_owner_or_an_admin_removes_a_webhook(server: BrokerServer) -> None:
    ann, admin = server.bearer("sub:news", sub="ann"), server.bearer("admin")
    mine, anonymous = await registered(server, headers=ann), await registered(server)
    paths = [f"{WEBHOOKS}/{each['id']}" for each in (mine, anonymous)]
    for path, headers, status in (
        (paths[0], None, 401),
        (paths[0], {"Authorization": "Bearer x"}, 401),
        (paths[0], server.bearer("sub:*", "pub:*", sub="eve"), 403),
        (paths[1], ann, 403),
        (paths[0], ann, 204),
        (paths[0], ann, 404),
        (paths[1], admin, 204),
        (paths[1], admin, 404),
        (f"{WEBHOOKS}/x", admin, 404),
        (f"{API}/channels/none/webhooks/{mine['id']}", admin, 404),
        (f"{SECRET}/{mine['id']}", admin, 404),
    ):
        answer = await server.http.delete(path, headers=headers)
        assert answer.status_code == status, (path, answer.text)
        assert answer.content == b"" if status == 204 else "error" in answer.json()
    assert await listed(server, admin) == []
    by_query = await server.http.delete(f"{paths[0]}?token={server.token('admin')}")
    assert by_query.status_code == 401


async def test_a_private_channel_takes_registrations_of_those_who_may_read_it(server: BrokerServer) -> None:
    for headers, status in (
        (None, 401),
        ({"Authorization": "Bearer x"}, 401),
        (server.bearer("pub:secret"), 403),
        (server.bearer("sub:secret", sub="ann"), 201),
    ):
        answer = await post(server, SECRET, headers, url=URL)
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == ("private, no-store" if headers or status == 401 else "no-store")
    for headers, status in ((None, 401), (server.bearer("pub:secret"), 403), (server.bearer("sub:*", sub="ann"), 200)):
        assert (await server.http.get(SECRET, headers=headers)).status_code == status
    assert (await server.http.get(WEBHOOKS)).status_code == 401


async def test_a_bad_token_does_not_register_as_nobody(server: BrokerServer) -> None:
    for path, headers in ((WEBHOOKS, {"Authorization": "Bearer x"}), (f"{WEBHOOKS}?token=x", None)):
        answer = await post(server, path, headers, url=URL)
        assert (answer.status_code, answer.json()["error"]) == (401, "Invalid or expired token")


async def test_the_channel_is_checked_before_the_token_and_the_token_before_the_body(server: BrokerServer) -> None:
    for path, headers, status in (
        (f"{API}/channels/none/webhooks", {"Authorization": "Bearer x"}, 404),
        (SECRET, None, 401),
        (SECRET, server.bearer("sub:news"), 403),
        (WEBHOOKS, None, 400),
    ):
        answer = await server.http.post(path, content=b"{", headers=headers)
        assert answer.status_code == status
        assert "error" in answer.json()
    for headers in (None, server.bearer("admin")):
        answer = await server.http.get(f"{API}/channels/none/webhooks", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (404, "Channel not found")


async def test_an_expired_webhook_is_gone(server: BrokerServer) -> None:
    headers = server.bearer("sub:news", sub="ann")
    first = await registered(server, headers=headers, ttl_seconds=60)
    server.broker.engine.clock_offset_ms = 60_000
    assert await listed(server, headers) == await listed(server, server.bearer("admin")) == []
    assert (await server.http.delete(f"{WEBHOOKS}/{first['id']}", headers=headers)).status_code == 404
    assert (await registered(server, headers=headers))["id"] != first["id"]


async def test_concurrent_registrations_of_one_url_are_one_webhook(server: BrokerServer) -> None:
    made = await asyncio.gather(*[registered(server) for _ in range(20)])
    assert len({each["id"] for each in made}) == 1


async def test_a_deleted_channel_has_no_webhooks_when_it_is_created_again(server: BrokerServer) -> None:
    await registered(server)
    await server.broker.channels.delete("news")
    assert (await post(server, url=URL)).status_code == 404
    await server.create("news")
    assert await listed(server, server.bearer("admin")) == []


async def test_a_channel_turned_private_elsewhere_is_private_at_once(
    server: BrokerServer, engine_url: str, tmp_path: Path
) -> None:
    """The other broker changes it; this one still has the old record in its cache."""
    await registered(server)
    async with running_broker(engine_url, tmp_path / "signing_key.json") as other:
        await other.change("news", is_public=False)
    assert (await post(server, url=f"{URL}/2")).status_code == 401
    assert (await server.http.get(WEBHOOKS)).status_code == 401


async def test_what_a_delivery_will_need_is_kept(server: BrokerServer) -> None:
    """The tail of the log, and the key by which the owner could read the channel were it private."""
    (event,) = await server.publish("news", 1)
    by_token = await registered(server, headers=server.bearer("sub:news", sub="ann"))
    await registered(server)
    channel = await server.broker.channels.find("news")
    fields = await answered(server.broker.engine.client.hgetall(keys_of(channel).endpoints))
    cursor = fields[f"cursor:{by_token['id']}".encode()].decode()
    kept = {each.id: each for each in await server.broker.endpoints.list(channel)}
    page = await server.broker.log.newest(channel, limit=1)
    assert (page.frames[0].id, page.frames[0].position.stream) == (event["id"], cursor)
    assert kept[by_token["id"]].owner.key_x == server.signing_key.public_x
    assert [each.owner.key_x for each in kept.values() if each.owner.is_anonymous] == [None]
