"""Calls of the domains that are refused by a commit: each in its own API's body, and the same again under its key."""

from typing import Any

import pytest

from broker.api_keys import KeyRequest
from tests.broker_server import BrokerServer

UNKNOWN = "7b1f2f2e-0000-4000-8000-000000000001"
START = {"arguments": [{"query": {"conditions": [{"ids": [UNKNOWN]}]}}]}
REFUSED = [
    ("lifecycle", "POST", "/event.events.private.v1.Service/Start", START, "code"),
    ("cuey", "DELETE", f"/api/v1/events/{UNKNOWN}", None, "error"),
]


@pytest.mark.parametrize(("scope", "method", "path", "body", "member"), REFUSED)
async def test_a_refusal_is_in_the_body_of_its_api_and_the_same_again_under_its_key(
    broker_server: BrokerServer, scope: str, method: str, path: str, body: Any, member: str
) -> None:
    key, _ = await broker_server.broker.api_keys.create(KeyRequest("acme", (scope,)))
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
    first = await broker_server.http.request(method, path, json=body, headers=headers)
    again = await broker_server.http.request(method, path, json=body, headers=headers)
    assert first.status_code == again.status_code == 404
    assert member in first.json() and "Idempotency-Replayed" not in first.headers
    assert again.json() == first.json()
