"""Minting tokens and asking what one says, over HTTP (contract sections 1 and 5)."""

import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from broker.tokens import MintRequest, mint
from tests.broker.forge import forge, key_of, segment
from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.conftest import OVERRIDES
from tests.slow_post import slow_post

TOKENS = f"{API}/tokens"
CLAIMS = f"{TOKENS}/claims"
PARTNER = key_of("partner", 3)


async def minted(server: BrokerServer, **body: Any) -> str:
    answer = await server.http.post(TOKENS, json={"scopes": ["sub:news"]} | body, headers=server.bearer("admin"))
    assert (answer.status_code, list(answer.json())) == (200, ["token"])
    assert answer.headers["Cache-Control"] == "private, no-store"
    token: str = answer.json()["token"]
    return token


async def claims_of(server: BrokerServer, token: str) -> Any:
    return await server.http.get(CLAIMS, headers={"Authorization": f"Bearer {token}"})


async def test_a_minted_token_says_what_was_asked(broker_server: BrokerServer) -> None:
    asked = {"scopes": ["pub:news", "sub:*"], "sub": "bob", "name": "Bob", "groups": ["ops"], "expires_in": "5m"}
    claims = (await claims_of(broker_server, await minted(broker_server, **asked))).json()
    issued_s = claims.pop("iat")
    assert abs(issued_s - time.time()) < 60
    assert claims.pop("exp") - issued_s == 300
    assert claims == {name: value for name, value in asked.items() if name != "expires_in"}


async def test_claims_that_are_absent_are_left_out(broker_server: BrokerServer) -> None:
    assert set((await claims_of(broker_server, await minted(broker_server))).json()) == {"scopes", "iat"}


async def test_a_minted_token_verifies_with_the_served_keys_alone(broker_server: BrokerServer) -> None:
    token = await minted(broker_server, sub="bob")
    jwks = KeySet.import_key_set((await broker_server.http.get("/.well-known/jwks.json")).json())
    with pytest.warns(SecurityWarning, match="EdDSA"):
        read = jwt.decode(token, jwks, algorithms=["EdDSA"])
    assert (read.claims["scopes"], read.claims["sub"]) == (["sub:news"], "bob")
    assert read.header == {"alg": "EdDSA", "typ": "JWT", "kid": broker_server.signing_key.kid}


async def test_a_minted_token_works(broker_server: BrokerServer) -> None:
    await broker_server.create("news", is_public=False)
    path = f"{API}/channels/news/events"
    headers = {"Authorization": f"Bearer {await minted(broker_server)}"}
    assert (await broker_server.http.get(path, headers=headers)).status_code == 200
    assert (await broker_server.http.post(path, json={"data": 1}, headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"admin"',
        b"{}",
        b'{"scopes":[]}',
        b'{"scopes":"admin"}',
        b'{"scopes":["pub:"]}',
        b'{"scopes":["read:news"]}',
        b'{"scopes":["pub:a*b"]}',
        b'{"scopes":["Admin"]}',
        b'{"scopes":["admin",1]}',
        b'{"scopes":["admin"],"expires_in":"0s"}',
        b'{"scopes":["admin"],"expires_in":""}',
        b'{"scopes":["admin"],"expires_in":60}',
        b'{"scopes":["admin"],"expires_in":"99999999999d"}',
        b'{"scopes":["admin"],"sub":"system-auth"}',
        b'{"scopes":["admin"],"sub":7}',
        b'{"scopes":["admin"],"name":"a\\nb"}',
        b'{"scopes":["admin"],"groups":"ops"}',
        b'{"scopes":["admin"],"groups":[%b]}' % b",".join([b'"' + b"g" * 250 + b'"'] * 20),
    ],
)
async def test_a_bad_mint_is_400_with_a_text(broker_server: BrokerServer, body: bytes) -> None:
    answer = await broker_server.http.post(TOKENS, content=body, headers=broker_server.bearer("admin"))
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_the_caller_is_checked_before_the_body(broker_server: BrokerServer) -> None:
    for headers, status, error in (
        ({}, 401, "Missing or invalid Authorization header"),
        ({"Authorization": "Basic eA=="}, 401, "Missing or invalid Authorization header"),
        ({"Authorization": "Bearer x.y.z"}, 401, "Invalid or expired token"),
        (broker_server.bearer("pub:*", "sub:*"), 403, "Insufficient permissions"),
    ):
        answer = await broker_server.http.post(TOKENS, content=b"{", headers=headers)
        assert (answer.status_code, answer.json()) == (status, {"error": error})


async def test_a_token_in_the_query_neither_mints_nor_tells(broker_server: BrokerServer) -> None:
    token = broker_server.token("admin")
    mint_answer = await broker_server.http.post(f"{TOKENS}?token={token}", json={"scopes": ["admin"]})
    assert mint_answer.status_code == 401
    assert (await broker_server.http.get(f"{CLAIMS}?token={token}")).status_code == 401


async def test_a_body_over_the_limit_is_413(broker_server: BrokerServer) -> None:
    body = b'{"scopes":["admin"],"x":"%b"}' % (b"x" * 1_048_576)
    answer = await broker_server.http.post(TOKENS, content=body, headers=broker_server.bearer("admin"))
    assert answer.status_code == 413


async def test_a_key_that_is_removed_while_the_body_comes_mints_no_more(broker_server: BrokerServer) -> None:
    """A body may be sent slowly; the right of its sender is not what it was when the head came."""
    await broker_server.trust(PARTNER, max_scopes=["admin"])
    authorization = f"Bearer {forge({'scopes': ['admin']}, PARTNER)}"
    async with slow_post(broker_server.port, TOKENS, authorization, b'{"scopes":["admin"]}') as finish:
        await broker_server.distrust(PARTNER.kid)
        assert await finish() == 401


async def test_claims_in_older_forms_are_told_in_the_form_of_today(broker_server: BrokerServer) -> None:
    await broker_server.trust(PARTNER, max_scopes=["pub:*"])
    answer = await claims_of(broker_server, forge({"scope": "publish", "channels": ["a", "b"]}, PARTNER))
    assert answer.json() == {"scopes": ["pub:a", "pub:b"]}


async def test_a_bad_token_has_no_claims(broker_server: BrokerServer) -> None:
    good = broker_server.token("admin")
    expired = mint(
        MintRequest(("admin",), expires_in_s=60), broker_server.signing_key, now_s=time.time() - 61, audience=None
    )
    unsigned = f"{segment({'alg': 'none', 'kid': broker_server.signing_key.kid})}.{good.split('.')[1]}."
    for token in (good[:-1], expired, unsigned, forge({"scopes": ["admin"]}, PARTNER), "x", good + "a"):
        answer = await claims_of(broker_server, token)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_with_a_public_url_tokens_are_for_this_server_only(engine_url: str, tmp_path: Path) -> None:
    url = "https://events.example.com"
    overrides = OVERRIDES | {"server": {"public_url": url, "drain_s": 0.2}}
    async with running_broker(engine_url, tmp_path / "signing_key.json", overrides) as server:
        token = await minted(server)
        assert (await claims_of(server, token)).status_code == 200
        jwks = KeySet.import_key_set((await server.http.get("/.well-known/jwks.json")).json())
        with pytest.warns(SecurityWarning, match="EdDSA"):
            assert jwt.decode(token, jwks, algorithms=["EdDSA"]).claims["aud"] == url
        other = mint(MintRequest(("admin",)), server.signing_key, now_s=time.time(), audience="https://other.example")
        assert (await claims_of(server, other)).status_code == 401
