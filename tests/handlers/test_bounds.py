"""Bounds of what a request may hold, each at its limit and one beyond, and how it is refused (reliability.md F)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.config import Settings
from broker.errors import Refusal
from broker.events import EventLimits
from broker.watched import HubLimits
from handlers.broker import ApiLimits
from handlers.requests import read_json
from handlers.responses import json_answer, on_expected
from handlers.serving.limits import ServingLimits
from handlers.wiring import api_limits_of, event_limits_of, hub_limits_of, serving_limits_of
from tests.broker_server import API, BrokerServer, running_broker
from tests.serving_app import ask, running_server

EVENTS = f"{API}/channels/news/events"
LIMITS = {
    "publish_body_bytes": 900,
    "data_bytes": 300,
    "batch_events": 3,
    "type_chars": 10,
    "meta_bytes": 40,
    "json_depth": 5,
    "json_keys": 8,
    "idempotency_key_chars": 12,
}


@pytest.fixture
async def server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    async with running_broker(engine_url, tmp_path / "key.json", {"limits": LIMITS}) as server:
        await server.create("news")
        yield server


def test_what_is_configured_by_default_is_what_the_parts_take_by_default() -> None:
    settings = Settings()
    assert serving_limits_of(settings) == ServingLimits()
    assert api_limits_of(settings) == ApiLimits()
    assert event_limits_of(settings) == EventLimits()
    assert hub_limits_of(settings) == HubLimits()


def padded(size: int) -> bytes:
    """A publish of so many bytes."""
    body = b'{"data":1}'
    return body[:-1] + b" " * (size - len(body)) + b"}"


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


WITHIN = {
    "body": (padded(900), padded(901), 413),
    "data": (json.dumps({"data": "x" * 298}).encode(), json.dumps({"data": "x" * 299}).encode(), 413),
    "batch": (
        json.dumps({"events": [{"data": 1}] * 3}).encode(),
        json.dumps({"events": [{"data": 1}] * 4}).encode(),
        400,
    ),
    "type": (b'{"data":1,"type":"0123456789"}', b'{"data":1,"type":"01234567890"}', 400),
    "meta": (
        json.dumps({"data": 1, "meta": "x" * 40}).encode(),
        json.dumps({"data": 1, "meta": "x" * 41}).encode(),
        413,
    ),
    "depth": (json.dumps({"data": nested(4)}).encode(), json.dumps({"data": nested(5)}).encode(), 400),
    "keys": (
        json.dumps({"data": {str(i): i for i in range(7)}}).encode(),
        json.dumps({"data": {str(i): i for i in range(8)}}).encode(),
        400,
    ),
}


@pytest.mark.parametrize("name", list(WITHIN))
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_publish_at_a_limit_is_taken_and_beyond_it_refused_and_counted(
    server: BrokerServer, name: str, is_chunked: bool
) -> None:
    within, beyond, status = WITHIN[name]

    async def chunks(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    for body, expected in ((within, 201), (beyond, status)):
        content = chunks(body) if is_chunked else body
        answer = await server.http.post(EVENTS, content=content, headers=server.bearer("pub:news"))
        assert answer.status_code == expected, answer.text
    assert isinstance(answer.json()["error"], str)
    assert server.running.counts == {f"answer_{status}": 1}


@pytest.mark.parametrize(("size", "status"), [(12, 201), (13, 400)])
async def test_an_idempotency_key_has_its_bound(server: BrokerServer, size: int, status: int) -> None:
    headers = {**server.bearer("pub:news"), "Idempotency-Key": "k" * size}
    assert (await server.http.post(EVENTS, json={"data": 1}, headers=headers)).status_code == status


async def test_a_client_that_sends_all_of_a_body_that_is_too_large_can_read_the_refusal(server: BrokerServer) -> None:
    """And nothing of it is kept."""
    head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token('pub:news')}\r\n"
    whole = b"x" * 2_000_000
    for framing, body in (
        (b"Content-Length: %d\r\n\r\n" % len(whole), whole),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(whole), whole)),
    ):
        raw = await ask(server.port, head.encode() + framing + body)
        assert raw.startswith(b"HTTP/1.1 413"), raw[:100]
        assert raw.endswith(b'{"error":"The body is over 900 bytes"}')
    assert (await server.http.get(EVENTS)).json()["events"] == []


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 413)])
async def test_other_bodies_have_a_bound_of_their_own(size: int, status: int) -> None:
    async def echo(request: Request) -> Response:
        return json_answer(await read_json(request))

    app = Starlette(routes=[Route("/", echo, methods=["POST"])], exception_handlers={Refusal: on_expected})
    app.state.broker = SimpleNamespace(limits=ApiLimits(body_bytes=100))
    async with running_server(app) as running:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        body = b'"' + b"x" * (size - 2) + b'"'
        for sent in (
            head + b"Content-Length: %d\r\n\r\n" % size + body,
            head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, body),
        ):
            assert (await ask(running.port, sent)).startswith(b"HTTP/1.1 %d" % status)


async def test_one_connection_more_than_a_token_may_hold_is_refused_and_counted(
    engine_url: str, tmp_path: Path
) -> None:
    limits = {"limits": {"connections_per_token": 2}}
    async with running_broker(engine_url, tmp_path / "key.json", limits) as server:
        await server.create("news")
        headers = {"Authorization": f"Bearer {server.token('sub:news')}"}
        stream = f"{API}/channels/news/sse"
        async with (
            server.http.stream("GET", stream, headers=headers) as one,
            server.http.stream("GET", stream, headers=headers) as other,
        ):
            assert (one.status_code, other.status_code) == (200, 200)
            refused = await server.http.get(stream, headers=headers)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
            assert (await server.http.get(f"{EVENTS}?wait=1", headers=headers)).status_code == 429
            assert (await server.http.get(EVENTS, headers=headers)).status_code == 200
            assert server.running.counts == {"answer_429": 2}
            async with server.http.stream("GET", stream) as stranger:
                assert stranger.status_code == 200
        await server.http.aclose()
