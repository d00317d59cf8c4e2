"""What passes a cache unchanged, what it adds, and what it says itself."""

import asyncio
import json
import socket
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import httpx2
import pytest

from broker.storage.embedded import EmbeddedEngine
from handlers.serving.client_address import client_address
from tests.broker_server import API, running_broker
from tests.edge.caches import CACHES, Cache, running_cache
from tests.edge.edges import Edge
from tests.engines import empty
from tests.serving_app import raw_client

EVENTS = f"{API}/channels/news/events"
HELD_DOWN_S = 0.3
"""Varnish does not try a backend again that has just refused (backend_remote_error_holddown, 0.25 s)."""
WAITING = {"nginx": 3, "varnish": 100}
"""nginx lets one try after another, half a second apart."""
READER = "127.0.0.2"
TRUSTED = (ip_network("127.0.0.1/32"),)


async def test_the_broker_learns_the_real_address_and_believes_no_other(edge: Edge) -> None:
    transport = httpx2.AsyncHTTPTransport(local_address=READER)
    async with httpx2.AsyncClient(transport=transport, base_url=edge.cache.url, trust_env=False) as reader:
        for forged in ({}, {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}):
            await reader.get(edge.events, headers={**forged, "Cookie": "asks=the-broker"})
    seen = [client_address({"client": each.client, "headers": each.headers.raw}, TRUSTED) for each in edge.asked]
    assert seen == [READER] * 3


@pytest.mark.parametrize("path", ["/nope", "/api/v1/channels/none/events", "/api/v1/channels/none/rss"])
async def test_an_unknown_path_is_404_and_not_kept(edge: Edge, path: str) -> None:
    for _ in range(2):
        answer = await edge.http.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
        assert "error" in answer.json()
    assert len(edge.origin.asked) == 2


async def test_a_slash_too_many_is_404_and_not_a_way_to_elsewhere(edge: Edge) -> None:
    answer = await edge.http.get(edge.events + "/", headers={"Host": "evil.example"})
    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_a_wrong_method_is_405_and_a_preflight_is_answered(edge: Edge) -> None:
    wrong = await edge.http.put(edge.events)
    assert (wrong.status_code, wrong.headers["Cache-Control"]) == (405, "no-store")
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    preflight = await edge.http.options(edge.events, headers=asks)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")


async def test_a_body_over_the_limit_is_refused_by_the_broker(edge: Edge) -> None:
    answer = await edge.http.post(edge.events, content=b"x" * 8_388_609, headers=edge.server.bearer("admin"))
    assert answer.status_code == 413 and "over 8388608 bytes" in answer.json()["error"]


async def test_what_nginx_refuses_itself_has_the_form_of_the_api(cache_of: Callable[[str], Cache]) -> None:
    host = b" HTTP/1.1\r\nHost: x\r\n"
    for head, status in (
        (b"GET /%2e%2e/%2e%2e/x" + host, b"400"),
        (b"GET /" + b"x" * 17_000 + host, b"414"),
        (b"GET /" + host + b"X-Large: " + b"x" * 17_000 + b"\r\n", b"400"),
        (b"POST /" + host + b"Content-Length: 1000000000\r\n", b"413"),
        (b"garbage\r\n", b"400"),
    ):
        async with raw_client(cache_of("nginx").port) as client:
            await client.send(head + b"\r\n")
            answer = await client.read_answer()
        assert answer.startswith(b"HTTP/1.1 " + status) and b"\r\nCache-Control: no-store\r\n" in answer
        assert list(json.loads(answer.partition(b"\r\n\r\n")[2])) == ["error"]


async def test_a_large_page_is_compressed_by_nginx_and_still_known_by_its_etag(edge: Edge) -> None:
    await edge.publish("x" * 10_000)
    plain = await edge.get()
    packed = await edge.get(**{"Accept-Encoding": "gzip"})
    assert packed.json() == plain.json()
    assert (packed.headers.get("Content-Encoding") == "gzip") is (edge.cache.name == "nginx")
    again = await edge.get(**{"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert len(edge.asked) == 1


@pytest.mark.parametrize("name", CACHES)
async def test_a_broker_that_is_gone_is_503_in_the_form_of_the_api_until_it_is_back(
    name: str, shared_engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """Though many wait for the same answer: Varnish by itself would repeat the error for seconds then."""
    empty(shared_engine.url)
    with socket.socket() as listener:  # closed also where the cache is missing and the test is skipped
        listener.bind(("127.0.0.1", 0))
        with running_cache(name, listener.getsockname()[1], tmp_path) as cache:
            async with httpx2.AsyncClient(base_url=cache.url, trust_env=False, timeout=10) as http:
                answers = await asyncio.gather(*[http.get(path) for path in ("/api/v1", *[EVENTS] * WAITING[name])])
                for answer in answers:
                    assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")
                    assert answer.json() == {"error": "The server cannot be reached"}
                    assert (answer.headers["Retry-After"], answer.headers["Access-Control-Allow-Origin"]) == ("1", "*")
                async with running_broker(
                    shared_engine.url, tmp_path / "signing_key.json", listener=listener
                ) as server:
                    await server.create("news")
                    await asyncio.sleep(HELD_DOWN_S)
                    assert (await http.get(EVENTS)).status_code == 200
