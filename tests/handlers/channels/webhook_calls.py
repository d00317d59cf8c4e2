"""Calls that register and list the webhooks of a channel."""

from typing import Any

import httpx2

from tests.broker_server import API, BrokerServer

WEBHOOKS = f"{API}/channels/news/webhooks"
SECRET = f"{API}/channels/secret/webhooks"
URL = "https://hooks.example.com/market"


async def post(server: BrokerServer, path: str = WEBHOOKS, headers: Any = None, **body: Any) -> httpx2.Response:
    """The answer to a registration."""
    answer: httpx2.Response = await server.http.post(path, json=body, headers=headers)
    return answer


async def registered(server: BrokerServer, path: str = WEBHOOKS, headers: Any = None, **body: Any) -> dict[str, Any]:
    """The webhook that was registered."""
    answer = await post(server, path, headers, **{"url": URL, **body})
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json()
    return webhook


async def listed(server: BrokerServer, headers: Any, path: str = WEBHOOKS) -> list[str]:
    """The ids of those that the caller is shown."""
    answer = await server.http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return [webhook["id"] for webhook in answer.json()["webhooks"]]
