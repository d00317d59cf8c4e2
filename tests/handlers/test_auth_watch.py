"""API keys act, and end, in every process: at the doors of the channels, and on what is open."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from broker.api_keys import ApiKey, KeyRequest
from broker.change import Change, emit
from broker.channels import NewChannel
from broker.errors import Unauthorized
from tests.broker_server import API, BrokerServer, running_broker

TEAM = NewChannel("cuey-team-acme", "acme")
OTHERS = NewChannel("cuey-team-other", "other")


@pytest.fixture
async def second(broker_server: BrokerServer, engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """Another process on the same engine."""
    async with running_broker(engine_url, tmp_path / "signing_key.json", {"clock": {"mode": "test"}}) as server:
        yield server


async def key_of(server: BrokerServer, *apis: str, tenant: str = "acme") -> tuple[str, ApiKey]:
    return await server.broker.api_keys.create(KeyRequest(tenant, apis or ("cuey",)))


async def tell(server: BrokerServer, log: NewChannel, data: int) -> None:
    event = emit(log.id, "cuey.event.created", data, "system-cuey")
    await server.broker.commits.execute(log.name, [], lambda _: Change(events=(event,)), logs=(log,))


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def test_a_key_reads_its_own_tenants_channels_at_every_door(broker_server: BrokerServer) -> None:
    text, _ = await key_of(broker_server)
    await tell(broker_server, TEAM, 1)
    await tell(broker_server, OTHERS, 2)
    path = f"{API}/channels/{TEAM.id}"
    page = await broker_server.http.get(f"{path}/events", headers=bearer(text))
    assert [each["data"] for each in page.json()["events"]] == [1]
    assert (await broker_server.http.get(f"{path}/events?token={text}")).status_code == 200
    other, _ = await key_of(broker_server)
    # As some clients write it, and by nobody learned before.
    assert (await broker_server.http.get(f"{path}/events?token={other.replace('_', '%5F')}")).status_code == 200
    assert (await broker_server.http.get(path, headers=bearer(text))).status_code == 200
    cursor = page.json()["cursor"]
    async with broker_server.socket(f"/channels/{TEAM.id}/ws?cursor={cursor}", text) as socket:
        await tell(broker_server, TEAM, 3)
        assert '"data":3' in str(await asyncio.wait_for(socket.recv(), 5))
    for other in (OTHERS.id, "system-auth"):
        answer = await broker_server.http.get(f"{API}/channels/{other}/events", headers=bearer(text))
        assert answer.status_code == 403


async def test_a_key_does_nothing_else_with_channels(broker_server: BrokerServer) -> None:
    text, _ = await key_of(broker_server)
    await broker_server.create("secret", is_public=False)
    await tell(broker_server, TEAM, 1)
    for method, path in (
        ("POST", f"/channels/{TEAM.id}/events"),
        ("DELETE", f"/channels/{TEAM.id}"),
        ("PATCH", f"/channels/{TEAM.id}"),
        ("GET", "/channels/secret/events"),
        ("POST", "/channels"),
        ("POST", "/tokens"),
        ("GET", "/keys"),
    ):
        answer = await broker_server.http.request(method, API + path, headers=bearer(text), json={"data": 1})
        assert answer.status_code == 403, f"{method} {path}: {answer.text}"
    assert (await broker_server.http.get("/admin/keys", headers=bearer(text))).status_code == 403


async def test_a_key_of_another_form_or_secret_is_refused(broker_server: BrokerServer) -> None:
    text, _ = await key_of(broker_server)
    await tell(broker_server, TEAM, 1)
    for wrong in (text[:-1] + ("a" if text[-1] != "a" else "b"), "tm_99" + "a" * 40, text + "a"):
        answer = await broker_server.http.get(f"{API}/channels/{TEAM.id}/events", headers=bearer(wrong))
        assert answer.status_code == 401


async def test_a_revoked_key_ends_in_every_process_within_a_second(
    broker_server: BrokerServer, second: BrokerServer
) -> None:
    text, key = await key_of(broker_server)
    other_text, _ = await key_of(broker_server)
    await tell(broker_server, TEAM, 1)
    path = f"/channels/{TEAM.id}"
    for server in (broker_server, second):
        assert (await server.http.get(API + path + "/events", headers=bearer(text))).status_code == 200
    async with (
        broker_server.socket(path + "/ws", text) as here,
        second.socket(path + "/ws", text) as there,
        second.socket("/ws") as many,
        second.socket(path + "/ws", other_text) as unharmed,
    ):
        await many.send(f'{{"token": "{text}"}}')
        assert "error" not in str(await asyncio.wait_for(many.recv(), 5))
        await many.send(f'{{"subscribe": {{"channel": "{TEAM.id}"}}}}')
        assert "error" not in str(await asyncio.wait_for(many.recv(), 5))
        began = time.monotonic()
        answer = await broker_server.http.delete(f"/admin/keys/{key.id}", headers=broker_server.bearer("admin"))
        assert answer.status_code == 200 and answer.json()["revoked_at"] is not None
        assert "closing" in str(await asyncio.wait_for(many.recv(), 5))
        for socket in (here, there, many):
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 5)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
        assert time.monotonic() - began < 1
        for server in (broker_server, second):
            assert (await server.http.get(API + path + "/events", headers=bearer(text))).status_code == 401
        await tell(broker_server, TEAM, 2)
        assert '"data":2' in str(await asyncio.wait_for(unharmed.recv(), 5))


async def test_what_an_older_look_has_read_is_not_taken_after_what_a_newer_one_has(
    broker_server: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth, find = broker_server.broker.auth, broker_server.broker.api_keys.find
    looking, most = [0], [0]

    async def watched(key_ids: Sequence[str]) -> dict[str, ApiKey]:
        looking[0] += 1
        most[0] = max(most[0], looking[0])
        try:
            return await find(key_ids)
        finally:
            looking[0] -= 1

    text, key = await key_of(broker_server)
    await auth.learn(text)
    monkeypatch.setattr(broker_server.broker.api_keys, "find", watched)
    await broker_server.broker.api_keys.revoke(key.id)
    await asyncio.gather(*(auth.look() for _ in range(5)))
    assert most == [1]


async def test_a_key_that_is_learned_while_it_is_revoked_does_not_come_back(
    broker_server: BrokerServer, second: BrokerServer
) -> None:
    for _ in range(10):
        text, key = await key_of(broker_server)
        await asyncio.gather(
            broker_server.broker.api_keys.revoke(key.id),
            *(second.broker.auth.learn(text) for _ in range(5)),
            *(second.broker.auth.look() for _ in range(5)),
        )
        await second.broker.auth.look()
        await second.broker.auth.learn(text)
        with pytest.raises(Unauthorized):
            second.broker.verifier.grant_of(text)
