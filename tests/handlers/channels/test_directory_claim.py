"""Signed claims for a directory, checked as a directory would (contract section 11)."""

import base64
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.conftest import OVERRIDES

CLAIM = f"{API}/directory/claim"


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def claim(server: BrokerServer, body: Any) -> tuple[int, Any]:
    answer = await server.http.post(CLAIM, json=body, headers=server.bearer("admin"))
    return answer.status_code, answer.json()


async def verified(server: BrokerServer, told: dict[str, str]) -> Any:
    """What the claim says, once its signature is good for the key of the discovery document."""
    discovery = (await server.http.get("/.well-known/zooid.json")).json()
    key = load_der_public_key(decoded(discovery["public_key"]))
    assert isinstance(key, Ed25519PublicKey)
    key.verify(decoded(told["signature"]), decoded(told["claim"]))
    with pytest.raises(InvalidSignature):
        key.verify(decoded(told["signature"]), decoded(told["claim"]) + b" ")
    return json.loads(decoded(told["claim"]))


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    await broker_server.create("secret", is_public=False)
    return broker_server


@pytest.mark.parametrize("action", [{}, {"action": "delete"}, {"action": None}])
async def test_a_claim_verifies_with_the_published_key(server: BrokerServer, action: dict[str, Any]) -> None:
    status, told = await claim(server, {"channels": ["secret", "news", "secret"], **action})
    assert (status, told.keys()) == (200, {"claim", "signature"})
    said = await verified(server, told)
    assert abs(datetime.fromisoformat(said.pop("timestamp")).timestamp() - time.time()) < 60
    expected = {"server_url": server.url, "channels": ["secret", "news"]}
    assert said == (expected | action if action.get("action") else expected)


async def test_the_server_is_named_by_its_public_url_whatever_the_host_header_says(
    engine_url: str, tmp_path: Path
) -> None:
    overrides = OVERRIDES | {"server": {"public_url": "https://events.example.com/hub", "drain_s": 0.2}}
    async with running_broker(engine_url, tmp_path / "signing_key.json", overrides) as server:
        await server.create("news")
        headers = server.bearer("admin") | {"Host": "evil.example"}
        told = (await server.http.post(CLAIM, json={"channels": ["news"]}, headers=headers)).json()
        assert (await verified(server, told))["server_url"] == "https://events.example.com/hub"


@pytest.mark.parametrize(
    ("channels", "missing"),
    [
        (["news", "absent"], "absent"),
        (["b-absent", "news", "a-absent"], "b-absent, a-absent"),
        (["absent", "no!", "x" * 100, "../keys"], f"absent, no!, {'x' * 64}, ../keys"),
    ],
)
async def test_channels_that_do_not_exist_are_named(server: BrokerServer, channels: list[str], missing: str) -> None:
    assert await claim(server, {"channels": channels}) == (400, {"error": f"Channels not found: {missing}"})


async def test_a_channel_that_was_deleted_elsewhere_is_not_claimed(server: BrokerServer, tmp_path: Path) -> None:
    async with running_broker(server.broker.engine.url, tmp_path / "signing_key.json", OVERRIDES) as other:
        assert (await claim(other, {"channels": ["news"]}))[0] == 200
        await server.broker.channels.delete("news")
        assert (await claim(other, {"channels": ["news"]}))[0] == 400


@pytest.mark.parametrize("body", [None, {}, {"channels": []}, {"channels": [1]}, {"channels": ["news"], "action": "x"}])
async def test_a_bad_request_is_400(server: BrokerServer, body: Any) -> None:
    status, answer = await claim(server, body)
    assert (status, list(answer)) == (400, ["error"])


async def test_the_caller_is_checked_before_the_body(server: BrokerServer) -> None:
    for headers, status in (({}, 401), (server.bearer("pub:*", "sub:*"), 403)):
        assert (await server.http.post(CLAIM, content=b"{", headers=headers)).status_code == status
