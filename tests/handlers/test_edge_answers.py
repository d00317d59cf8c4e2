"""What every answer has, whoever gives it: Cache-Control, CORS, an id, and errors in one form (design section 6)."""

import json
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.broker_server import API, BrokerServer
from tests.serving_app import ask

EVENTS = f"{API}/channels/news/events"
PRIVATE, NO_STORE = "private, no-store", "no-store"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    await broker_server.create("secret", is_public=False)
    await broker_server.publish("news", 1)
    return broker_server


def check(headers: Any, cache_control: str) -> None:
    assert headers["Cache-Control"] == cache_control
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Request-Id" in headers["Access-Control-Expose-Headers"]
    assert len(headers["X-Request-Id"]) == 16
    assert not {"Vary", "Set-Cookie", "Server"} & {name.title() for name in headers}


@pytest.mark.parametrize(
    ("method", "path", "status", "cache_control"),
    [
        ("GET", "/", 404, NO_STORE),
        ("GET", "/nothing", 404, NO_STORE),
        ("GET", "/healthz/", 404, NO_STORE),
        ("GET", f"{EVENTS}/", 404, NO_STORE),
        ("GET", f"{EVENTS}//", 404, NO_STORE),
        ("GET", f"{API}/channels/none/events", 404, NO_STORE),
        ("GET", "/static/nothing.js", 404, NO_STORE),
        ("GET", "/static/../docs.py", 404, NO_STORE),
        ("GET", "/static/%2e%2e/app.py", 404, NO_STORE),
        ("DELETE", "/healthz", 405, NO_STORE),
        ("OPTIONS", "/healthz", 405, NO_STORE),
        ("TRACE", "/healthz", 405, NO_STORE),
        ("PUT", EVENTS, 405, NO_STORE),
        ("POST", "/static/docs.js", 405, NO_STORE),
        ("GET", f"{EVENTS}?limit=x", 400, NO_STORE),
        ("GET", f"{EVENTS}?limit=x&token=y", 400, PRIVATE),
        ("GET", f"{API}/channels/secret/events", 401, PRIVATE),
        ("POST", EVENTS, 401, PRIVATE),
        ("GET", f"{API}/channels/news/ws", 426, NO_STORE),
    ],
)
async def test_an_error_has_the_headers_of_every_answer_and_its_text_in_json(
    server: BrokerServer, method: str, path: str, status: int, cache_control: str
) -> None:
    answer = await server.http.request(method, path)
    assert answer.status_code == status
    check(answer.headers, cache_control)
    assert answer.headers["Content-Type"] == "application/json"
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/healthz", {"GET", "HEAD"}),
        ("PUT", EVENTS, {"GET", "HEAD", "POST"}),
        ("OPTIONS", EVENTS, {"GET", "HEAD", "POST"}),
        ("POST", "/static/docs.js", {"GET", "HEAD"}),
    ],
)
async def test_a_405_says_what_is_allowed(server: BrokerServer, method: str, path: str, allowed: set[str]) -> None:
    answer = await server.http.request(method, path)
    assert {each.strip() for each in answer.headers["Allow"].split(",")} == allowed


async def test_a_401_names_the_scheme_and_a_426_the_protocol(server: BrokerServer) -> None:
    assert (await server.http.post(EVENTS)).headers["WWW-Authenticate"] == "Bearer"
    upgrade = await server.http.get(f"{API}/channels/news/ws")
    assert (upgrade.headers["Upgrade"], upgrade.headers["Connection"].lower()) == ("websocket", "upgrade")


@pytest.mark.parametrize(
    ("path", "status", "cache_control"),
    [
        ("/healthz", 200, NO_STORE),
        ("/readyz", 200, NO_STORE),
        ("/openapi.json", 200, NO_STORE),
        ("/docs", 200, NO_STORE),
        ("/static/docs.js", 200, NO_STORE),
        (EVENTS, 200, "public, s-maxage=2"),
        (f"{EVENTS}?token=x", 200, PRIVATE),
        (f"{EVENTS}?wait=1", 200, NO_STORE),
        ("/nothing", 404, NO_STORE),
        (f"{API}/channels/secret/events", 401, PRIVATE),
    ],
)
async def test_head_is_get_without_its_body(server: BrokerServer, path: str, status: int, cache_control: str) -> None:
    get, head = await server.http.get(path), await server.http.head(path)
    for answer in (get, head):
        assert answer.status_code == status
        check(answer.headers, cache_control)
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(get.content))
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


async def test_head_of_a_stream_ends(server: BrokerServer) -> None:
    """A stream that nobody reads would keep its connection and a subscription for ever."""
    head = await server.http.head(f"{API}/channels/news/sse")
    assert (head.status_code, head.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert (await server.http.get("/healthz")).status_code == 200
    assert server.broker.hub.readers(await server.broker.channels.find("news")) == 0


async def test_a_304_has_them_too(server: BrokerServer) -> None:
    tag = (await server.http.get(EVENTS)).headers["ETag"]
    answer = await server.http.get(EVENTS, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    check(answer.headers, "public, s-maxage=2")


@pytest.mark.parametrize("path", ["/docs", "/static/docs.js", EVENTS])
@pytest.mark.parametrize("asked", ["bytes=abc", "bytes=99999999-", "bytes=0-1,3-4", "lines=1"])
async def test_nothing_is_served_in_parts(server: BrokerServer, path: str, asked: str) -> None:
    answer = await server.http.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, (await server.http.get(path)).content)


@pytest.mark.parametrize("path", [EVENTS, "/nothing", f"{API}/channels/news/sse"])
async def test_a_preflight_is_answered_for_every_path(server: BrokerServer, path: str) -> None:
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    answer = await server.http.options(path, headers=headers)
    assert answer.status_code == 204
    check(answer.headers, NO_STORE)
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert {"GET", "POST", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status", "cache_control"),
    [
        ("/channels/none/ws", 404, NO_STORE),
        ("/channels/secret/ws", 401, PRIVATE),
        ("/channels/secret/ws?token=x.y.z", 401, PRIVATE),
        ("/channels/news/ws?cursor=x", 400, NO_STORE),
        ("/channels/news/ws/", 404, NO_STORE),
        ("/channels/news/events", 404, NO_STORE),
        ("/nothing", 404, NO_STORE),
    ],
)
async def test_a_refused_socket_has_them_too(server: BrokerServer, path: str, status: int, cache_control: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await server.socket(path)
    response = caught.value.response
    assert response.status_code == status
    check(response.headers, cache_control)
    assert isinstance(json.loads(response.body or b"")["error"], str)


async def test_the_host_that_a_client_names_is_in_no_answer(server: BrokerServer) -> None:
    for path in ("/healthz/", f"{EVENTS}/", "/nothing", EVENTS, "/static"):
        raw = await ask(server.port, f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        assert b"evil.example" not in raw and b"ocation:" not in raw


async def test_an_answer_to_a_stranger_and_to_a_holder_of_a_bad_token_say_the_same(server: BrokerServer) -> None:
    """And neither is to be kept by anybody."""
    for options in ({}, {"headers": {"Authorization": "Bearer x"}}, {"params": {"token": "x"}}):
        answer: httpx2.Response = await server.http.get(f"{API}/channels/secret/events", **options)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["Cache-Control"]) == (401, PRIVATE)
