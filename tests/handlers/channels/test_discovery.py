"""The discovery document and the JWKS (contract section 11)."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.conftest import OVERRIDES

DISCOVERY = "/.well-known/zooid.json"
JWKS = "/.well-known/jwks.json"
PUBLIC = "https://events.example.com"


@pytest.fixture
async def published(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A broker with a public URL and a poll interval of its own."""
    overrides = OVERRIDES | {"server": {"public_url": PUBLIC, "drain_s": 0.2}, "channels": {"poll_interval_s": 7}}
    async with running_broker(engine_url, tmp_path / "signing_key.json", overrides) as server:
        yield server


async def test_discovery_says_how_to_reach_this_server_and_check_its_word(published: BrokerServer) -> None:
    answer = await published.http.get(DISCOVERY)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=60")
    key = published.signing_key
    assert answer.json() == {
        "version": "0.1",
        "public_key": key.public_spki,
        "public_key_format": "spki",
        "algorithm": "Ed25519",
        "server_id": key.kid,
        "server_url": PUBLIC,
        "server_name": "Zooid",
        "server_description": None,
        "poll_interval": 7,
        "delivery": ["poll", "webhook", "websocket", "sse", "rss"],
        "jwks_url": f"{PUBLIC}{JWKS}",
        "openapi_url": f"{PUBLIC}/openapi.json",
    }


async def test_the_poll_interval_is_the_s_maxage_of_public_polls(published: BrokerServer) -> None:
    await published.create("news")
    told = (await published.http.get(DISCOVERY)).json()["poll_interval"]
    poll = await published.http.get(f"{API}/channels/news/events")
    assert poll.headers["Cache-Control"] == f"public, s-maxage={told}"


async def test_discovery_shows_the_name_and_description_of_the_identity(broker_server: BrokerServer) -> None:
    body = {"name": "Hub", "description": "For all"}
    await broker_server.http.put(f"{API}/server", json=body, headers=broker_server.bearer("admin"))
    told = (await broker_server.http.get(DISCOVERY)).json()
    assert (told["server_name"], told["server_description"]) == ("Hub", "For all")


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto", "X-Original-Url"])
async def test_no_header_changes_the_urls_that_are_told(broker_server: BrokerServer, header: str) -> None:
    expected = (await broker_server.http.get(DISCOVERY)).content
    value = "host=evil.example;proto=https" if header == "Forwarded" else "evil.example"
    assert (await broker_server.http.get(DISCOVERY, headers={header: value})).content == expected


async def test_without_a_public_url_the_address_of_the_connection_is_told_and_works(
    broker_server: BrokerServer,
) -> None:
    told = (await broker_server.http.get(DISCOVERY, headers={"Host": "evil.example"})).json()
    assert told["server_url"] == broker_server.url
    for name in ("jwks_url", "openapi_url"):
        assert (await broker_server.http.get(told[name])).status_code == 200


async def test_the_jwks_holds_the_own_public_key_only(broker_server: BrokerServer) -> None:
    answer = await broker_server.http.get(JWKS)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=300")
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")


async def test_jwks_and_discovery_tell_the_same_key(broker_server: BrokerServer) -> None:
    (key,) = (await broker_server.http.get(JWKS)).json()["keys"]
    told = (await broker_server.http.get(DISCOVERY)).json()
    public_key = load_der_public_key(base64.urlsafe_b64decode(told["public_key"] + "="))
    assert isinstance(public_key, Ed25519PublicKey)
    assert public_key.public_bytes_raw() == base64.urlsafe_b64decode(key["x"] + "=")
    assert key["kid"] == told["server_id"]
