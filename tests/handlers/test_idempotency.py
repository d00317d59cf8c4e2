"""Idempotency-Key on every write of the channels API: done once, answered alike, whoever dies or races meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from broker.ids import render_time
from handlers.routes import all_operations
from tests.broker.forge import key_of
from tests.broker_server import API, BrokerServer, running_broker

PARTNER = key_of("partner", 3)
WRITES = ("POST", "PUT", "PATCH", "DELETE")
IGNORING = ("POST /api/v1/tokens",)
"""What must not store its answer, or is a write by name only."""

BY_COMMIT = ("POST /admin/keys", "POST /api/v1/channels/{channel_id}/events")
OF_OPERATORS = ("POST /admin/clock", "DELETE /admin/keys/{key_id}")
OF_DOMAINS = (
    "POST /event.events.private.v1.Service/",
    *(f"{each} {of}" for each in WRITES for of in ("/api/v1/events", "/api/v1/crons", "/v1/live-events/")),
    *(
        f"{each} /v1/{of}"
        for each in WRITES
        for of in ("calendars", "agents", "events", "webhooks", "ical-subscriptions")
    ),
)
"""Have their own tests in their folders."""


class Write(NamedTuple):
    """A write: what is sent, another body for the same path, and how often it was done."""

    method: str
    path: str
    body: Any
    other_body: Any
    status: int


CASES = {
    "POST /api/v1/channels": Write("POST", "/channels", {"id": "new", "name": "n"}, {"id": "newer", "name": "n"}, 201),
    "PATCH /api/v1/channels/{channel_id}": Write("PATCH", "/channels/news", {"name": "a"}, {"name": "b"}, 200),
    "PATCH /api/v1/channels/{channel_id}/meta": Write("PATCH", "/channels/news/meta", {"a": 1}, {"a": 2}, 200),
    "DELETE /api/v1/channels/{channel_id}": Write("DELETE", "/channels/news", None, None, 204),
    "DELETE /api/v1/channels/{channel_id}/scheduled/{scheduled_id}": Write(
        "DELETE", "/channels/news/scheduled/SCHEDULED", None, None, 204
    ),
    "DELETE /api/v1/channels/{channel_id}/scheduled": Write("DELETE", "/channels/news/scheduled", None, None, 204),
    "DELETE /api/v1/channels/{channel_id}/events/{event_id}": Write(
        "DELETE", "/channels/news/events/EVENT", None, None, 204
    ),
    "POST /api/v1/channels/{channel_id}/webhooks": Write(
        "POST", "/channels/news/webhooks", {"url": "https://a.example.com/x"}, {"url": "https://a.example.com/y"}, 201
    ),
    "DELETE /api/v1/channels/{channel_id}/webhooks/{webhook_id}": Write(
        "DELETE", "/channels/news/webhooks/WEBHOOK", None, None, 204
    ),
    "POST /api/v1/channels/{channel_id}/webhooks/{webhook_id}/resume": Write(
        "POST", "/channels/news/webhooks/WEBHOOK/resume", None, None, 200
    ),
    "POST /api/v1/channels/{channel_id}/webhooks/{webhook_id}/replay": Write(
        "POST",
        "/channels/news/webhooks/WEBHOOK/replay",
        {"since": "2026-01-01T00:00:00Z"},
        {"since": "2026-01-02T00:00:00Z"},
        200,
    ),
    "POST /api/v1/keys": Write("POST", "/keys", {"kid": "k", "x": PARTNER.x}, {"kid": "l", "x": PARTNER.x}, 201),
    "DELETE /api/v1/keys/{kid}": Write("DELETE", "/keys/KID", None, None, 200),
    "PUT /api/v1/server": Write("PUT", "/server", {"name": "a"}, {"name": "b"}, 200),
    "POST /api/v1/directory/claim": Write(
        "POST", "/directory/claim", {"channels": ["news"]}, {"channels": ["news"], "action": "delete"}, 200
    ),
}


@pytest.fixture
async def second(broker_server: BrokerServer, engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """Another process on the same engine."""
    async with running_broker(engine_url, tmp_path / "signing_key.json", {"clock": {"mode": "test"}}) as server:
        yield server


def admin(server: BrokerServer, key: str | None, sub: str = "ops") -> dict[str, str]:
    return server.bearer("admin", sub=sub) | ({} if key is None else {"Idempotency-Key": key})


async def placed(server: BrokerServer, write: Write) -> str:
    """The path of a write to what is there."""
    await server.create("news")
    path = write.path
    if "EVENT" in path:
        path = path.replace("EVENT", (await server.publish("news", 1))[0]["id"])
    if "WEBHOOK" in path:
        body = {"url": "https://a.example.com/x"}
        made = await server.http.post(f"{API}/channels/news/webhooks", json=body, headers=admin(server, None))
        path = path.replace("WEBHOOK", made.json()["id"])
    if "SCHEDULED" in path:
        later = render_time(await server.broker.engine.now_ms() + 60_000)
        publish = {"data": "later", "publish_at": later}
        made = await server.http.post(f"{API}/channels/news/events", json=publish, headers=admin(server, None))
        path = path.replace("SCHEDULED", made.json()["scheduled"]["id"])
    if "KID" in path:
        path = path.replace("KID", (await server.trust(PARTNER))["kid"])
    return API + path


async def ask(server: BrokerServer, write: Write, path: str, key: str | None, sub: str = "ops") -> httpx2.Response:
    return await server.http.request(write.method, path, json=write.body, headers=admin(server, key, sub))


def test_every_write_has_its_case() -> None:
    writes = {f"{each.method} {each.path}" for each in all_operations() if each.method in WRITES}
    writes = {each for each in writes if not each.startswith(OF_DOMAINS)}
    assert writes - set(IGNORING) - set(BY_COMMIT) - set(OF_OPERATORS) == set(CASES)


def test_every_write_says_so_in_the_document() -> None:
    for each in all_operations():
        if f"{each.method} {each.path}" in (*CASES, *BY_COMMIT, *OF_OPERATORS):
            assert "Idempotency-Key" in {parameter.name for parameter in each.parameters}
            assert {400, 422} <= set(each.refusals)


@pytest.mark.parametrize("write", CASES.values(), ids=CASES.keys())
async def test_a_write_is_done_once_and_answered_alike(broker_server: BrokerServer, write: Write) -> None:
    path = await placed(broker_server, write)
    first = await ask(broker_server, write, path, "k")
    assert first.status_code == write.status, first.text
    assert "Idempotency-Replayed" not in first.headers
    again = await ask(broker_server, write, path, "k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers.get("Content-Type") == first.headers.get("Content-Type")


@pytest.mark.parametrize(
    "write", [each for each in CASES.values() if each.body], ids=[name for name, each in CASES.items() if each.body]
)
async def test_a_key_with_another_body_is_422_and_does_nothing(broker_server: BrokerServer, write: Write) -> None:
    path = await placed(broker_server, write)
    await ask(broker_server, write, path, "k")
    refused = await ask(broker_server, write._replace(body=write.other_body), path, "k")
    assert refused.status_code == 422 and "error" in refused.json()
    again = await ask(broker_server, write, path, "k")
    assert again.status_code == write.status


@pytest.mark.parametrize("write", CASES.values(), ids=CASES.keys())
async def test_two_processes_that_are_asked_at_once_do_it_once(
    broker_server: BrokerServer, second: BrokerServer, write: Write
) -> None:
    path = await placed(broker_server, write)
    answers = await asyncio.gather(*(ask(each, write, path, "k") for each in (broker_server, second) * 4))
    assert {(each.status_code, each.content) for each in answers} == {(write.status, answers[0].content)}
    assert sum("Idempotency-Replayed" not in each.headers for each in answers) == 1


async def test_what_was_deleted_stays_deleted_and_a_retry_is_told_so(broker_server: BrokerServer) -> None:
    write = CASES["DELETE /api/v1/channels/{channel_id}"]
    path = await placed(broker_server, write)
    assert (await ask(broker_server, write, path, "k")).status_code == 204
    assert (await ask(broker_server, write, path, None)).status_code == 404
    await broker_server.create("news")
    assert (await ask(broker_server, write, path, "k")).status_code == 204
    assert (await broker_server.http.get(path)).status_code == 200


async def test_a_change_is_answered_again_though_its_channel_is_gone(broker_server: BrokerServer) -> None:
    write = CASES["PATCH /api/v1/channels/{channel_id}"]
    path = await placed(broker_server, write)
    first = await ask(broker_server, write, path, "k")
    await broker_server.broker.channels.delete("news")
    assert (await ask(broker_server, write, path, "k")).json() == first.json()
    assert (await ask(broker_server, write, path, "another")).status_code == 404


async def test_a_refusal_is_kept(broker_server: BrokerServer) -> None:
    write = CASES["POST /api/v1/channels"]
    await broker_server.create("new")
    first = await ask(broker_server, write, API + write.path, "k")
    assert first.status_code == 409
    await broker_server.broker.channels.delete("new")
    again = await ask(broker_server, write, API + write.path, "k")
    assert again.status_code == 409 and again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await ask(broker_server, write, API + write.path, "another")).status_code == 201


async def test_a_change_that_changes_nothing_keeps_its_answer(broker_server: BrokerServer) -> None:
    write = CASES["PATCH /api/v1/channels/{channel_id}"]._replace(body={})
    path = await placed(broker_server, write)
    first = await ask(broker_server, write, path, "k")
    await broker_server.change("news", name="other")
    assert (await ask(broker_server, write, path, "k")).json() == first.json()


async def test_a_channels_token_is_shown_again_for_ten_minutes_only(broker_server: BrokerServer) -> None:
    write = CASES["POST /api/v1/channels"]
    first = await ask(broker_server, write, API + write.path, "k")
    engine = broker_server.broker.engine
    token = first.json()["token"].encode()
    stored = [await engine.client.dump(name) async for name in engine.client.scan_iter(count=1_000)]
    assert not [each for each in stored if each is not None and token[-30:] in each]
    engine.clock_offset_ms += 599_000
    assert (await ask(broker_server, write, API + write.path, "k")).json() == first.json()
    engine.clock_offset_ms += 2_000
    expired = await ask(broker_server, write, API + write.path, "k")
    assert expired.status_code == 409 and expired.json()["code"] == "idempotency_expired"
    await broker_server.broker.channels.delete("new")
    assert (await ask(broker_server, write, API + write.path, "k")).status_code == 409
    engine.clock_offset_ms += 86_400_000
    assert (await ask(broker_server, write._replace(body=write.other_body), API + write.path, "l")).status_code == 201


async def test_a_key_is_its_principals(broker_server: BrokerServer) -> None:
    write = CASES["PATCH /api/v1/channels/{channel_id}"]
    path = await placed(broker_server, write)
    await ask(broker_server, write, path, "k")
    other = await ask(broker_server, write._replace(body={"name": "c"}), path, "k", sub="another")
    assert other.status_code == 200 and other.json()["name"] == "c"


@pytest.mark.parametrize("key", ["", "x" * 129, "a\x07"])
async def test_a_bad_key_is_400(broker_server: BrokerServer, key: str) -> None:
    write = CASES["PATCH /api/v1/channels/{channel_id}"]
    path = await placed(broker_server, write)
    assert (await ask(broker_server, write, path, key)).status_code == 400


async def test_who_has_no_credential_has_no_key(broker_server: BrokerServer) -> None:
    await broker_server.create("news")
    path, body = f"{API}/channels/news/webhooks", {"url": "https://a.example.com/x"}
    answers = [await broker_server.http.post(path, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert all(each.status_code == 201 and "Idempotency-Replayed" not in each.headers for each in answers)


async def test_minting_a_token_ignores_the_key_and_stores_nothing(broker_server: BrokerServer) -> None:
    headers = admin(broker_server, "k")
    answers = [
        await broker_server.http.post(f"{API}/tokens", json={"scopes": ["sub:a"], "sub": sub}, headers=headers)
        for sub in ("a", "b")
    ]
    assert [each.status_code for each in answers] == [200, 200]
    names = [name async for name in broker_server.broker.engine.client.scan_iter(count=1_000)]
    assert not [name for name in names if b":idempotency:" in name or b":claim:" in name]


async def test_writes_of_operators_are_done_once(broker_server: BrokerServer) -> None:
    headers, http = admin(broker_server, "k"), broker_server.http
    clock = [await http.post("/admin/clock", json={"advance_ms": 5}, headers=headers) for _ in range(2)]
    assert [each.json()["offset_ms"] for each in clock] == [5, 5] and clock[1].headers["Idempotency-Replayed"] == "true"
    assert (await http.post("/admin/clock", json={"advance_ms": 6}, headers=headers)).status_code == 422
    made = await http.post("/admin/keys", json={"tenant": "acme", "scopes": ["cuey"]}, headers=headers)
    other = await http.post("/admin/keys", json={"tenant": "other", "scopes": ["cuey"]}, headers=headers)
    assert (made.status_code, other.status_code) == (201, 422)
    revoked = [await http.delete(f"/admin/keys/{made.json()['id']}", headers=headers) for _ in range(2)]
    assert revoked[0].json() == revoked[1].json() and revoked[1].headers["Idempotency-Replayed"] == "true"
