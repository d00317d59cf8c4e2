"""Clients behind a trusted proxy have a limit each; nobody else is believed (reliability.md F)."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.broker_server import API, BrokerServer, running_broker
from tests.serving_app import ask, handshake

STREAM = f"{API}/channels/news/sse"
CLIENT = "203.0.113.66, 198.51.100.9"


def overrides(*trusted: str) -> dict[str, dict[str, Any]]:
    return {"server": {"trusted_proxies": trusted}, "limits": {"connections_per_address": 2}}


async def follow(stack: AsyncExitStack, server: BrokerServer, forwarded: str) -> int:
    headers = {"X-Forwarded-For": forwarded}
    answer = await stack.enter_async_context(server.http.stream("GET", STREAM, headers=headers))
    status: int = answer.status_code
    return status


async def test_one_more_than_a_client_behind_a_proxy_may_have_open_is_refused(engine_url: str, tmp_path: Path) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", overrides("127.0.0.0/8")) as server:
        await server.create("news")
        async with AsyncExitStack() as stack:
            assert [await follow(stack, server, CLIENT) for _ in range(2)] == [200, 200]
            refused = await server.http.get("/healthz", headers={"X-Forwarded-For": CLIENT})
            assert (refused.status_code, refused.json()) == (429, {"error": "Too many connections from this address"})
            assert (refused.headers["Retry-After"], refused.headers["Cache-Control"]) == ("5", "no-store")
            shake = handshake(f"{API}/channels/news/ws", f"X-Forwarded-For: {CLIENT}")
            assert (await ask(server.port, shake)).startswith(b"HTTP/1.1 429")
            assert server.running.counts == {"answer_429": 2}
            assert await follow(stack, server, "198.51.100.10") == 200
        await server.http.aclose()
        await server.running.settled()


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("2001:db8::1", "2001:db8::2", 429),
        ("2001:db8::1", "2001:db8:0:1::2", 200),
        ("::ffff:198.51.100.9", "198.51.100.9", 429),
        ("198.51.100.9", "203.0.113.1, 198.51.100.9", 429),
        ("198.51.100.9", "198.51.100.9, 203.0.113.1", 200),
    ],
)
async def test_who_is_counted_with_whom(engine_url: str, tmp_path: Path, first: str, second: str, status: int) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", overrides("127.0.0.1/32")) as server:
        await server.create("news")
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await follow(stack, server, first)
            assert (await server.http.get("/healthz", headers={"X-Forwarded-For": second})).status_code == status
        await server.http.aclose()


async def test_whoever_is_no_trusted_proxy_is_counted_by_connections_whatever_it_writes(
    engine_url: str, tmp_path: Path
) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", overrides("10.0.0.0/8")) as server:
        await server.create("news")
        async with AsyncExitStack() as stack:
            assert [await follow(stack, server, f"198.51.100.{i}") for i in range(3)] == [200, 200, 429]
            assert server.running.counts == {"address_full": 1}
        await server.http.aclose()
