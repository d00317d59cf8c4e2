"""Deliveries to webhooks, from a publish to real receivers and back, through a whole broker."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from standardwebhooks import Webhook

from broker.api_keys import KeyRequest
from broker.change import Change, emit
from broker.channels import NewChannel
from tests.broker.forge import forge, key_of
from tests.broker_server import API, BrokerServer, running_broker
from tests.receivers import Receiver, Request, receiving, status
from tidemark_client.ids import cursor_before

WEBHOOKS = f"{API}/channels/news/webhooks"
OPEN: dict[str, Any] = {
    "outbound": {"allow": ["127.0.0.0/8"]},
    "clock": {"mode": "test"},
    "webhooks": {"timeout_s": 10.0},
    "channels": {"trim_interval_s": 0.05},
}
SECOND_MS, HOUR_MS = 1_000, 3_600_000
PARTNER = key_of("partner", 3)


@pytest.fixture
async def server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A broker that may call receivers of this machine, with a channel."""
    async with running_broker(engine_url, tmp_path / "key.json", OPEN) as running:
        await running.create("news")
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def follow(server: BrokerServer, url: str, sub: str = "ann", **body: Any) -> dict[str, Any]:
    headers = server.bearer("sub:*", sub=sub)
    answer = await server.http.post(WEBHOOKS, json={"url": url, "ttl_seconds": 2_592_000, **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json()
    return webhook


async def advance(server: BrokerServer, ms: int) -> None:
    answer = await server.http.post("/admin/clock", json={"advance_ms": ms}, headers=server.bearer("admin"))
    assert answer.status_code == 200


async def ask(server: BrokerServer, method: str, path: str, sub: str = "ann", **options: Any) -> dict[str, Any]:
    headers = server.bearer("sub:*", sub=sub)
    answer = await server.http.request(method, f"{WEBHOOKS}/{path}", headers=headers, **options)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def rows(server: BrokerServer, webhook: dict[str, Any], count: int, query: str = "") -> list[dict[str, Any]]:
    """The delivery log, newest first, once it has so many rows."""
    async with asyncio.timeout(10):
        while len(found := (await ask(server, "GET", f"{webhook['id']}/deliveries{query}"))["deliveries"]) < count:
            await asyncio.sleep(0.01)
    result: list[dict[str, Any]] = found
    return result


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


async def test_a_failed_delivery_is_tried_again_at_its_time_under_the_same_id(server: BrokerServer) -> None:
    answers = iter([500, 503, 204])

    async def answer(_: Request) -> web.Response:
        return web.Response(status=next(answers))

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        [event] = await server.publish("news", 1)
        await rows(server, webhook, 1)
        await asyncio.sleep(0.1)
        assert len(receiver.requests) == 1
        await advance(server, 6_100)
        await rows(server, webhook, 2)
        await advance(server, 370 * SECOND_MS)
        assert await receiver.took(1) == [1]
        assert {each.headers["webhook-id"] for each in receiver.requests} == {event["id"]}
        found = await rows(server, webhook, 3)
    shown = [(each["verdict"], each["attempt"], each["status"], each["event_id"]) for each in reversed(found)]
    assert shown == [
        ("retrying", 1, 500, event["id"]),
        ("retrying", 2, 503, event["id"]),
        ("delivered", 3, 204, event["id"]),
    ]


async def test_retry_after_holds_everything_up_that_long(server: BrokerServer) -> None:
    async with receiving(status(429, Retry_After="600")) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", {"subject": "a"})
        await rows(server, webhook, 1)
        await server.publish("news", {"subject": "b"})
        await advance(server, 590 * SECOND_MS)
        await asyncio.sleep(0.2)
        assert len(receiver.requests) == 1
        assert (await ask(server, "GET", webhook["id"]))["deliveries"]["resumes_at"] is not None
        await advance(server, 20 * SECOND_MS)
        await receiver.heard(2)


async def test_after_eight_attempts_it_is_a_dead_letter_and_the_next_event_is_delivered(server: BrokerServer) -> None:
    async def answer(request: Request) -> web.Response:
        return web.Response(status=400 if request.data == "poison" else 200)

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", "poison", "fine")
        for attempt in range(1, 9):
            await rows(server, webhook, attempt)
            await advance(server, 13 * HOUR_MS)
        assert await receiver.took(1) == ["fine"]
        [dead] = await rows(server, webhook, 1, "?verdict=dead")
        assert (dead["attempt"], dead["status"], dead["next_attempt_at"]) == (8, 400, None)
        assert [each.data for each in receiver.requests] == ["poison"] * 8 + ["fine"]


async def test_a_receiver_that_fails_at_random_loses_nothing_and_gets_each_subject_in_order(
    server: BrokerServer,
) -> None:
    luck = random.Random(7)
    data: list[dict[str, Any]] = []

    async def answer(_: Request) -> web.Response:
        await asyncio.sleep(luck.random() * 0.003)
        return web.Response(status=200 if luck.random() < 0.7 else 500)

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        data = [{"subject": f"s{luck.randrange(8)}", "n": n} if n % 10 else {"n": n} for n in range(120)]
        for i in range(0, 120, 30):
            await server.publish("news", *data[i : i + 30])
        for _ in range(200):
            if len(receiver.taken) == 120:
                break
            await advance(server, HOUR_MS)
            await ask(server, "POST", f"{webhook['id']}/resume")
            await asyncio.sleep(0.05)
        taken = [each.data for each in receiver.taken]
        assert sorted(each["n"] for each in taken) == list(range(120))
        for subject in {each.get("subject") for each in data}:
            assert [each for each in taken if each.get("subject") == subject] == [
                each for each in data if each.get("subject") == subject
            ]


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


async def test_a_receiver_that_is_down_is_paused_probed_and_gets_all_when_it_is_back(server: BrokerServer) -> None:
    is_up = False

    async def answer(_: Request) -> web.Response:
        return web.Response(status=200 if is_up else 502)

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", *[{"subject": str(n)} for n in range(30)])
        await rows(server, webhook, 20)
        shown = (await ask(server, "GET", webhook["id"]))["deliveries"]
        async with asyncio.timeout(5):
            while shown["status"] == "active":
                shown = (await ask(server, "GET", webhook["id"]))["deliveries"]
        heard = len(receiver.requests)
        await advance(server, 61 * SECOND_MS)
        await receiver.heard(heard + 1)
        await rows(server, webhook, 1, "?verdict=probe")
        assert len(receiver.requests) == heard + 1
        is_up = True
        await advance(server, 2 * HOUR_MS)
        taken = await receiver.took(30)
        assert sorted(int(each["subject"]) for each in taken) == list(range(30))
        assert (await ask(server, "GET", webhook["id"]))["deliveries"]["status"] == "active"


async def test_410_ends_deliveries_until_they_are_resumed(server: BrokerServer) -> None:
    answers = iter([410])

    async def answer(_: Request) -> web.Response:
        return web.Response(status=next(answers, 200))

    async with receiving(answer) as receiver:
        webhook = await follow(server, receiver.url)
        await server.publish("news", 1)
        await rows(server, webhook, 1)
        await server.publish("news", 2)
        await advance(server, 20 * HOUR_MS)
        await asyncio.sleep(0.2)
        assert len(receiver.requests) == 1
        assert (await ask(server, "GET", webhook["id"]))["deliveries"]["status"] == "paused_gone"
        await ask(server, "POST", f"{webhook['id']}/resume")
        assert await receiver.took(2) == [1, 2]


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
