"""What is delivered to webhooks, and to whom: from a publish to real receivers, through a whole broker."""

import asyncio
import base64
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from standardwebhooks import Webhook

from broker.api_keys import KeyRequest
from broker.change import Change, emit
from broker.channels import NewChannel
from tests.broker.forge import forge, key_of
from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.channels.deliveries.calls import HOUR_MS, OPEN, SECOND_MS, WEBHOOKS, advance, ask, follow
from tests.receivers import Receiver, Request, receiving

PARTNER = key_of("partner", 3)


async def test_what_is_published_after_the_registration_is_delivered_as_every_door_shows_it(
    server: BrokerServer, receiver: Receiver
) -> None:
    await server.publish("news", "before")
    await follow(server, receiver.url)
    events = await server.publish("news", 1, 2, 3, type="t", meta={"a": 1})
    assert await receiver.took(3) == [1, 2, 3]
    assert [each.event for each in receiver.requests] == events
    got = await server.http.get(f"{API}/channels/news/events/{events[0]['id']}")
    assert receiver.requests[0].body == got.content
    assert receiver.requests[0].headers["Content-Type"] == "application/json"


async def test_both_signatures_are_verified_by_what_a_receiver_was_given(
    server: BrokerServer, receiver: Receiver
) -> None:
    webhook = await follow(server, receiver.url)
    [event] = await server.publish("news", {"price": 1})
    await receiver.took(1)
    [request] = receiver.requests
    # The library judges times by the real clock, as the server does here.
    Webhook(webhook["secret"]).verify(request.body.decode(), request.headers)
    found = (await server.http.get("/.well-known/zooid.json")).json()
    key = load_der_public_key(base64.urlsafe_b64decode(found["public_key"] + "=="))
    assert isinstance(key, Ed25519PublicKey)
    signed = f"{request.headers['X-Zooid-Timestamp']}.".encode() + request.body
    key.verify(base64.b64decode(request.headers["X-Zooid-Signature"]), signed)
    assert request.headers["X-Zooid-Event-Id"] == request.headers["webhook-id"] == event["id"]
    assert request.headers["X-Zooid-Channel"] == "news"


async def test_a_filter_lets_only_its_types_through_and_the_position_moves_on(
    server: BrokerServer, receiver: Receiver
) -> None:
    webhook = await follow(server, receiver.url, event_types=["a", "c"])
    for kind in ("a", "b", None, "c", "b"):
        await server.publish("news", kind, type=kind)
    assert await receiver.took(2) == ["a", "c"]
    last = (await server.publish("news", "b", type="b"))[-1]["id"]
    async with asyncio.timeout(5):
        while (await ask(server, "GET", webhook["id"]))["deliveries"]["cursor"] != last:
            await asyncio.sleep(0.01)
    assert len(receiver.requests) == 2


async def test_one_receiver_that_hangs_delays_nobody_else(engine_url: str, tmp_path: Path, receiver: Receiver) -> None:
    release = asyncio.Event()

    async def hang(_: Request) -> web.Response:
        await release.wait()
        return web.Response()

    patient = OPEN | {"webhooks": {"timeout_s": 30.0}}
    async with (
        receiving(hang) as hanging,
        receiving() as another,
        running_broker(engine_url, tmp_path / "key.json", patient) as server,
    ):
        await server.create("news")
        await server.create("other")
        stuck = await follow(server, hanging.url)
        await follow(server, receiver.url, sub="bob")
        headers = server.bearer("sub:*", sub="ann")
        made = await server.http.post(f"{API}/channels/other/webhooks", json={"url": another.url}, headers=headers)
        assert made.status_code == 201
        await server.publish("news", 0)
        await hanging.heard(1)
        for n in range(1, 20):
            await server.publish("news", n)
            await server.publish("other", n)
        assert await receiver.took(20) == list(range(20))
        assert await another.took(19) == list(range(1, 20))
        assert len(hanging.requests) == 1 and hanging.taken == []
        assert (await ask(server, "GET", f"{stuck['id']}/deliveries"))["deliveries"] == []
        release.set()
        assert await hanging.took(20) == list(range(20))


async def test_a_removed_and_an_expired_webhook_get_nothing_more_and_leave_nothing(
    server: BrokerServer, receiver: Receiver
) -> None:
    removed, _ = await follow(server, receiver.url), await follow(server, receiver.url, sub="bob", ttl_seconds=60)
    await server.publish("news", 1)
    await receiver.took(2)
    headers = server.bearer("sub:*", sub="ann")
    assert (await server.http.delete(f"{WEBHOOKS}/{removed['id']}", headers=headers)).status_code == 204
    await advance(server, 60 * SECOND_MS)
    await server.publish("news", 2)
    await advance(server, HOUR_MS)
    async with asyncio.timeout(5):
        while any([name async for name in server.broker.engine.client.scan_iter(match="*state:webhook:*")]):
            await asyncio.sleep(0.01)
    assert len(receiver.requests) == 2
    metas = [name async for name in server.broker.engine.client.scan_iter(match="*log:news:?????????")]
    assert metas and not await server.broker.engine.client.hget(metas[0], "followed")


async def test_a_private_channel_is_delivered_while_the_key_of_the_owner_is_trusted(
    server: BrokerServer, receiver: Receiver
) -> None:
    await server.trust(PARTNER, max_scopes=["sub:*"])
    token = forge({"scopes": ["sub:news"], "sub": "ann"}, PARTNER)
    made = await server.http.post(WEBHOOKS, json={"url": receiver.url}, headers={"Authorization": f"Bearer {token}"})
    assert made.status_code == 201
    async with receiving() as anonymous:
        assert (await server.http.post(WEBHOOKS, json={"url": anonymous.url})).status_code == 201
        await server.change("news", is_public=False)
        await server.publish("news", 1)
        assert await receiver.took(1) == [1]
        await server.distrust(PARTNER.kid)
        await server.publish("news", 2)
        await asyncio.sleep(0.2)
        assert len(receiver.requests) == 1 and anonymous.requests == []
        await server.change("news", is_public=True)
        await server.publish("news", 3)
        assert await receiver.took(3) == [1, 2, 3]
        assert await anonymous.took(3) == [1, 2, 3]


async def test_an_api_key_follows_its_tenants_log_until_it_is_revoked(
    server: BrokerServer, engine_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    broker, log = server.broker, NewChannel("lifecycle-team-acme", "acme")
    channel = await broker.channels.ensure(log)
    text, key = await broker.api_keys.create(KeyRequest("acme", ("lifecycle",)))
    path, headers = f"{API}/channels/{log.id}/webhooks", {"Authorization": f"Bearer {text}"}
    assert (await server.http.post(path, json={"url": receiver.url}, headers=headers)).status_code == 201

    async def emitted(at: BrokerServer, n: int) -> None:
        event = emit(log.id, "lifecycle.event.started", {"subject": "e1", "n": n}, "system-lifecycle")
        await at.broker.commits.execute("acme", [], lambda _: Change(events=(event,)), logs=(log,))

    await emitted(server, 1)
    assert await receiver.took(1) == [{"subject": "e1", "n": 1}]
    assert channel.is_public is False
    made_of = f"{path}/{(await server.http.get(path, headers=headers)).json()['webhooks'][0]['id']}"
    replay = await server.http.post(f"{made_of}/replay", json={"since": "2020-01-01T00:00:00Z"}, headers=headers)
    assert replay.status_code == 200
    assert await receiver.took(2) == [{"subject": "e1", "n": 1}] * 2
    log_rows = (await server.http.get(f"{made_of}/deliveries", headers=headers)).json()["deliveries"]
    assert {each["verdict"] for each in log_rows} == {"delivered"}
    # A process that never saw the key may deliver as well.
    async with running_broker(engine_url, tmp_path / "key.json", OPEN) as other:
        await emitted(other, 2)
        assert len(await receiver.took(3)) == 3
        await broker.api_keys.revoke(key.id)
        await broker.auth.look()
        await other.broker.auth.look()
        await emitted(other, 3)
        await asyncio.sleep(0.3)
    assert len(receiver.requests) == 3


async def test_a_stop_gives_its_endpoints_to_another_process_at_once(
    server: BrokerServer, engine_url: str, tmp_path: Path
) -> None:
    hung = asyncio.Event()

    async def answer(_: Request) -> web.Response:
        if not hung.is_set():
            hung.set()
            await asyncio.sleep(0.3)
        return web.Response()

    async with receiving(answer) as receiver:
        async with running_broker(engine_url, tmp_path / "key.json", OPEN) as other:
            await follow(server, receiver.url)
            await other.publish("news", *range(10))
            await hung.wait()
        assert await receiver.took(10) == list(range(10))
