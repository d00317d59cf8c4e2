"""A broker whose webhooks are delivered to this machine, and what is asked of them."""

import asyncio
from typing import Any

from tests.broker_server import API, BrokerServer

WEBHOOKS = f"{API}/channels/news/webhooks"
OPEN: dict[str, Any] = {
    "outbound": {"allow": ["127.0.0.0/8"]},
    "clock": {"mode": "test"},
    "webhooks": {"timeout_s": 10.0},
    "channels": {"trim_interval_s": 0.05},
}
SECOND_MS, HOUR_MS = 1_000, 3_600_000


async def follow(server: BrokerServer, url: str, sub: str = "ann", **body: Any) -> dict[str, Any]:
    """Register a webhook on the channel."""
    headers = server.bearer("sub:*", sub=sub)
    answer = await server.http.post(WEBHOOKS, json={"url": url, "ttl_seconds": 2_592_000, **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json()
    return webhook


async def advance(server: BrokerServer, ms: int) -> None:
    """Move the clock of the server."""
    answer = await server.http.post("/admin/clock", json={"advance_ms": ms}, headers=server.bearer("admin"))
    assert answer.status_code == 200


async def ask(server: BrokerServer, method: str, path: str, sub: str = "ann", **options: Any) -> dict[str, Any]:
    """What the owner of a webhook is answered about it."""
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
