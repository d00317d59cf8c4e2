"""API keys over HTTP: shown once, listed by their beginnings, revoked, and made once for an Idempotency-Key."""

import json
from typing import Any

import pytest

from tests.broker.forge import forge, key_of
from tests.broker_server import BrokerServer
from tests.slow_post import slow_post

ASKED: dict[str, Any] = {"tenant": "acme", "scopes": ["cuey", "live"]}
TEN_MINUTES_MS = 600_000
PARTNER = key_of("partner", 3)


def headers_of(server: BrokerServer, key: str | None = None, sub: str = "ops") -> dict[str, str]:
    return server.bearer("admin", sub=sub) | ({"Idempotency-Key": key} if key else {})


async def test_a_key_is_shown_once(broker_server: BrokerServer) -> None:
    made = await broker_server.http.post("/admin/keys", json=ASKED, headers=headers_of(broker_server))
    assert made.status_code == 201 and made.headers["Cache-Control"] == "private, no-store"
    shown = made.json()
    assert shown["key"].startswith(shown["prefix"]) and shown["scopes"] == ["live", "cuey"]
    listed = await broker_server.http.get("/admin/keys?tenant=acme", headers=headers_of(broker_server))
    assert listed.json()["keys"] == [{name: value for name, value in shown.items() if name != "key"}]
    assert shown["key"] not in listed.text
    others = await broker_server.http.get("/admin/keys?tenant=other", headers=headers_of(broker_server))
    assert others.json() == {"keys": []}


@pytest.mark.parametrize("body", [[], {}, {"tenant": "acme"}, {**ASKED, "scopes": ["admin"]}, {**ASKED, "agent": "x"}])
async def test_bad_requests_make_no_key(broker_server: BrokerServer, body: Any) -> None:
    answer = await broker_server.http.post("/admin/keys", json=body, headers=headers_of(broker_server))
    assert answer.status_code == 400
    assert await broker_server.broker.api_keys.list(None) == []


async def test_the_same_idempotency_key_shows_the_same_key_for_ten_minutes(broker_server: BrokerServer) -> None:
    def ask(body: Any = ASKED, sub: str = "ops") -> Any:
        return broker_server.http.post("/admin/keys", json=body, headers=headers_of(broker_server, "k", sub))

    first, again = await ask(), await ask()
    assert again.status_code == 201 and again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert (await ask({**ASKED, "scopes": ["live"]})).status_code == 422
    assert (await ask(sub="another")).json()["key"] != first.json()["key"]
    broker_server.broker.engine.clock_offset_ms += TEN_MINUTES_MS + 1
    expired = await ask()
    assert expired.status_code == 409 and expired.json()["code"] == "idempotency_expired"
    assert len(await broker_server.broker.api_keys.list("acme")) == 2


async def test_a_key_that_is_removed_while_the_body_comes_makes_no_other(broker_server: BrokerServer) -> None:
    """A body may be sent slowly; the right of its sender is not what it was when the head came."""
    await broker_server.trust(PARTNER, max_scopes=["admin"])
    authorization = f"Bearer {forge({'scopes': ['admin']}, PARTNER)}"
    body = json.dumps(ASKED).encode()
    async with slow_post(broker_server.port, "/admin/keys", authorization, body) as finish:
        await broker_server.distrust(PARTNER.kid)
        assert await finish() == 401
    assert await broker_server.broker.api_keys.list(None) == []


async def test_what_is_not_there_is_not_revoked(broker_server: BrokerServer) -> None:
    for key_id in ("nonsense", f"key_01{'0' * 32}"):
        answer = await broker_server.http.delete(f"/admin/keys/{key_id}", headers=headers_of(broker_server))
        assert answer.status_code == 404
