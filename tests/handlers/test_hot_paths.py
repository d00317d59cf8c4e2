"""The paths without a router answer as all others do, and what is not theirs takes the usual way."""

from typing import Any

import pytest

from handlers.hot_paths import PREFIX
from handlers.routes import HOT_PATHS, all_routes
from tests.broker_server import API, BrokerServer


def test_a_hot_path_has_the_handlers_and_the_template_of_its_route() -> None:
    templates = {route.path for route in all_routes() if hasattr(route, "path")}
    for hot in HOT_PATHS:
        assert hot.path == f"{PREFIX}{{channel_id}}{hot.suffix}"
        assert hot.path in templates


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/channels/news/events", 200),
        ("HEAD", "/channels/news/events", 200),
        ("PUT", "/channels/news/events", 405),
        ("OPTIONS", "/channels/news/events", 405),
        ("GET", "/channels/none/events", 404),
        ("GET", "/channels/a%2Fb/events", 404),
        ("GET", "/channels//events", 404),
        ("GET", "/channels/news/events/", 404),
        ("POST", "/channels/news/events", 401),
        ("GET", "/channels/news/ws", 426),
        ("GET", "/channels/n%65ws/events", 200),
    ],
)
async def test_every_method_and_spelling_has_its_answer(
    broker_server: BrokerServer, method: str, path: str, status: int
) -> None:
    await broker_server.create("news")
    answer = await broker_server.http.request(method, API + path)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and answer.headers["X-Request-Id"]
    if status == 405:
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    if method != "HEAD" and status >= 400:
        body: Any = answer.json()
        assert body["error"]
