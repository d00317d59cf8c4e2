"""Trusted keys over HTTP, in one broker and in two on one engine (contract section 5)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.broker.forge import Key, forge, key_of
from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.conftest import OVERRIDES
from tests.slow_post import slow_post

KEYS = f"{API}/keys"
TOKENS = f"{API}/tokens"
SECRET = f"{API}/channels/secret/events"
PATIENCE_S = 3.0
PARTNER = key_of("partner", 3)
SECOND = key_of("second", 4)


def bearer(key: Key, *scopes: str, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {forge({'scopes': scopes, **claims}, key)}"}


async def add(server: BrokerServer, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    answer = await server.http.post(KEYS, json=body, headers=headers or server.bearer("admin"))
    return answer.status_code, answer.json()


async def remove(server: BrokerServer, kid: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    answer = await server.http.delete(f"{KEYS}/{kid}", headers=headers or server.bearer("admin"))
    return answer.status_code, answer.json()


async def listed(server: BrokerServer) -> list[str]:
    answer = await server.http.get(KEYS, headers=server.bearer("admin"))
    return [key["kid"] for key in answer.json()["keys"]]


async def status_of(server: BrokerServer, headers: dict[str, str]) -> int:
    return (await server.http.get(SECRET, headers=headers)).status_code


async def becomes(server: BrokerServer, headers: dict[str, str], status: int) -> None:
    """Return when a read with these headers is answered with this status; the promise is a second, on a machine that
    does nothing else."""
    async with asyncio.timeout(PATIENCE_S):
        while await status_of(server, headers) != status:
            await asyncio.sleep(0.01)


async def closed(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        await asyncio.wait_for(socket.recv(), 5)
    frame = caught.value.rcvd
    assert frame is not None
    return frame.code


@asynccontextmanager
async def stream(server: BrokerServer, headers: dict[str, str]) -> AsyncIterator[AsyncIterator[str]]:
    async with server.http.stream("GET", f"{API}/channels/secret/sse", headers=headers) as answer:
        assert answer.status_code == 200
        yield answer.aiter_lines()


async def close_event(lines: AsyncIterator[str]) -> Any:
    """What the last event of the stream says."""
    async with asyncio.timeout(5):
        told = [line.removeprefix("data: ") async for line in lines if line.startswith("data: ")]
    return json.loads(told[-1])


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("secret", is_public=False)
    return broker_server


@pytest.fixture
async def other(server: BrokerServer, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A second broker on the engine of the first."""
    async with running_broker(server.broker.engine.url, tmp_path / "signing_key.json", OVERRIDES) as second:
        yield second


async def test_an_added_key_is_shown_as_it_is_trusted(server: BrokerServer) -> None:
    body = {"kid": "partner", "x": PARTNER.x, "max_scopes": ["sub:a-*"], "issuer": "acme", "created_at": "x", "d": "x"}
    status, key = await add(server, body)
    assert status == 201
    created_at = key.pop("created_at")
    assert datetime.fromisoformat(created_at).tzinfo is not None
    assert key == {
        "kid": "partner",
        "kty": "OKP",
        "crv": "Ed25519",
        "x": PARTNER.x,
        "max_scopes": ["sub:a-*"],
        "issuer": "acme",
        "jwks_url": None,
    }
    answer = await server.http.get(KEYS, headers=server.bearer("admin"))
    assert answer.json() == {"keys": [{**key, "created_at": created_at}]}


async def test_a_partners_token_counts_up_to_its_ceiling(server: BrokerServer) -> None:
    within, over = bearer(PARTNER, "sub:secret"), bearer(PARTNER, "sub:secret", "pub:secret")
    assert await status_of(server, within) == 401
    await server.trust(PARTNER)
    assert await status_of(server, within) == 200
    assert await status_of(server, over) == 401
    assert (await server.http.post(TOKENS, json={"scopes": ["admin"]}, headers=within)).status_code == 403


async def test_an_issuer_is_demanded_and_stands_before_the_publisher(server: BrokerServer) -> None:
    await server.trust(PARTNER, max_scopes=["pub:*"], issuer="acme")
    for claims, status in (({}, 401), ({"iss": "other"}, 401), ({"iss": "acme"}, 201)):
        headers = bearer(PARTNER, "pub:secret", sub="bob", **claims)
        answer = await server.http.post(SECRET, json={"data": 1}, headers=headers)
        assert answer.status_code == status
    assert answer.json()["publisher_id"] == "acme:bob"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"kid": "partner"},
        {"x": PARTNER.x},
        {"kid": "..", "x": PARTNER.x},
        {"kid": "a/b", "x": PARTNER.x},
        {"kid": "partner", "x": PARTNER.x[:-1]},
        {"kid": "partner", "x": "A" * 43},
        {"kid": "partner", "x": PARTNER.x, "kty": "RSA"},
        {"kid": "partner", "x": PARTNER.x, "max_scopes": ["everything"]},
        {"kid": "partner", "x": PARTNER.x, "issuer": "system-auth"},
        {"kid": "partner", "jwks_url": "https://127.0.0.1/jwks"},
    ],
)
async def test_a_bad_key_is_400_and_not_trusted(server: BrokerServer, body: Any) -> None:
    status, answer = await add(server, body)
    assert (status, list(answer)) == (400, ["error"])
    assert await listed(server) == []


async def test_a_kid_is_taken_once(server: BrokerServer) -> None:
    await server.trust(PARTNER)
    assert await add(server, {"kid": "partner", "x": SECOND.x}) == (409, {"error": 'Key "partner" already exists'})
    own = server.signing_key.kid
    assert await add(server, {"kid": own, "x": SECOND.x}) == (409, {"error": f'Key "{own}" already exists'})


async def test_the_seventeenth_key_is_409_until_one_is_removed(server: BrokerServer) -> None:
    for number in range(16):
        await server.trust(key_of(f"key-{number}", number + 10))
    assert (await add(server, {"kid": "partner", "x": PARTNER.x}))[0] == 409
    await server.distrust("key-7")
    assert (await add(server, {"kid": "partner", "x": PARTNER.x}))[0] == 201
    assert len(await listed(server)) == 16


async def test_what_cannot_be_removed(server: BrokerServer) -> None:
    await server.trust(PARTNER, max_scopes=["admin"])
    by_partner = bearer(PARTNER, "admin")
    signed = (403, {"error": "Cannot revoke the key that signed this request"})
    assert await remove(server, "partner", by_partner) == signed
    assert await remove(server, server.signing_key.kid) == signed
    assert (await remove(server, server.signing_key.kid, by_partner))[0] == 403
    assert await remove(server, "unknown") == (404, {"error": "Key not found"})
    assert await listed(server) == ["partner"]
    assert await remove(server, "partner") == (200, {"ok": True})
    assert (await remove(server, "partner"))[0] == 404


async def test_a_removed_key_ends_here_before_the_answer(server: BrokerServer) -> None:
    await server.trust(PARTNER)
    headers = bearer(PARTNER, "sub:secret")
    for _ in range(5):
        assert await status_of(server, headers) == 200
        await server.distrust("partner")
        assert await status_of(server, headers) == 401
        await server.trust(PARTNER)


async def test_a_removed_key_closes_what_it_holds_open_and_nothing_else(server: BrokerServer) -> None:
    await server.trust(PARTNER)
    await server.trust(SECOND)
    headers, others = bearer(PARTNER, "sub:secret"), bearer(SECOND, "sub:secret")
    async with (
        server.socket("/channels/secret/ws", headers["Authorization"][7:]) as socket,
        server.socket("/channels/secret/ws", others["Authorization"][7:]) as second,
        stream(server, headers) as lines,
    ):
        held = asyncio.create_task(server.http.get(f"{SECRET}?wait=20", headers=headers))
        channel = await server.broker.channels.find("secret")
        async with asyncio.timeout(5):
            while server.broker.hub.readers(channel) < 4:
                await asyncio.sleep(0.01)
        await server.distrust("partner")
        assert await closed(socket) == 4401
        assert (await close_event(lines))["code"] == 4401
        assert (await held).status_code == 401
        events = await server.publish("secret", "for the second")
        assert json.loads(await asyncio.wait_for(second.recv(), 5)) == events[0]


async def test_another_broker_follows_within_a_second(server: BrokerServer, other: BrokerServer) -> None:
    headers = bearer(PARTNER, "sub:secret")
    assert await status_of(other, headers) == 401
    await server.trust(PARTNER)
    await becomes(other, headers, 200)
    async with (
        other.socket("/channels/secret/ws", headers["Authorization"][7:]) as socket,
        stream(other, headers) as sse,
    ):
        async with asyncio.timeout(PATIENCE_S):
            await server.distrust("partner")
            assert await closed(socket) == 4401
            assert (await close_event(sse))["code"] == 4401
        assert await status_of(other, headers) == 401


async def test_a_key_that_is_removed_elsewhere_changes_no_keys_although_it_still_reads_here(
    server: BrokerServer, other: BrokerServer
) -> None:
    """Decided on the document itself: not within a second, at once."""
    await server.trust(PARTNER, max_scopes=["admin"])
    headers = bearer(PARTNER, "admin")
    await becomes(other, headers, 200)
    await server.distrust("partner")
    assert (await add(other, {"kid": "second", "x": SECOND.x}, headers))[0] == 401
    assert (await remove(other, "unknown", headers))[0] == 401
    assert await listed(server) == []


async def test_a_key_that_is_removed_while_the_body_of_another_comes_adds_it_no_more(server: BrokerServer) -> None:
    await server.trust(PARTNER, max_scopes=["admin"])
    body = json.dumps({"kid": "second", "x": SECOND.x}).encode()
    async with slow_post(server.port, KEYS, bearer(PARTNER, "admin")["Authorization"], body) as finish:
        await server.distrust("partner")
        assert await finish() == 401
    assert await listed(server) == []


async def test_keys_that_are_added_at_once_are_all_added(server: BrokerServer) -> None:
    keys = [key_of(f"key-{number}", number + 10) for number in range(20)]
    answers = await asyncio.gather(*(add(server, {"kid": key.kid, "x": key.x}) for key in keys))
    assert sorted(status for status, _ in answers) == [201] * 16 + [409] * 4
    assert sorted(await listed(server)) == sorted(body["kid"] for status, body in answers if status == 201)


async def test_one_kid_that_is_added_at_once_by_many_is_added_once(server: BrokerServer, other: BrokerServer) -> None:
    bodies = [{"kid": "partner", "x": key_of("", number + 10).x} for number in range(8)]
    answers = await asyncio.gather(*(add([server, other][i % 2], body) for i, body in enumerate(bodies)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 7
    winner = next(body for status, body in answers if status == 201)
    shown = (await server.http.get(KEYS, headers=server.bearer("admin"))).json()["keys"]
    assert shown == [winner]


async def test_two_brokers_add_and_remove_at_once_and_agree_in_the_end(
    server: BrokerServer, other: BrokerServer
) -> None:
    keys = [key_of(f"key-{number}", number + 10) for number in range(8)]

    async def add_then_remove(number: int) -> None:
        one, another = (server, other) if number % 2 else (other, server)
        await one.trust(keys[number])
        if number % 3:
            await another.distrust(keys[number].kid)

    await asyncio.gather(*(add_then_remove(number) for number in range(8)))
    assert sorted(await listed(server)) == ["key-0", "key-3", "key-6"]
    for number, key in enumerate(keys):
        for broker in (server, other):
            await becomes(broker, bearer(key, "sub:secret"), 401 if number % 3 else 200)
