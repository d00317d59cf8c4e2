"""Requests counted by template, method and status, and readers by kind, whatever paths and methods are sent."""

from collections import Counter
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers.answering import Answering
from handlers.metrics.requests import Answered, Reader, RequestCounts, reader_of
from handlers.serving.refusals import Refusals

EVENTS = "/api/v1/channels/{channel_id}/events"
SSE = "/api/v1/channels/{channel_id}/sse"


class App:
    """An app behind the middleware, whose endpoint answers what the test says."""

    def __init__(self) -> None:
        self.counts = RequestCounts()
        self.seen: list[Counter[Reader]] = []
        self.app = Starlette(
            routes=[Route(EVENTS, self.answer, methods=["GET", "POST"]), Route(SSE, self.answer), Route("/x", fail)],
            middleware=[Middleware(Answering, Refusals(), self.counts)],
        )

    async def answer(self, request: Request) -> Response:
        """Notes which readers are open meanwhile."""
        self.seen.append(+self.counts.open)
        return Response(status_code=int(request.query_params.get("status", 200)))

    async def send(self, method: str, target: str) -> None:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.request(method, target)


async def fail(_: Request) -> Response:
    raise RuntimeError("a defect")


@pytest.fixture
def app() -> App:
    return App()


async def test_requests_of_all_channels_are_one_series(app: App) -> None:
    for channel in ("news", "other", "third"):
        await app.send("GET", f"/api/v1/channels/{channel}/events")
    assert app.counts.answers == {Answered("GET", EVENTS, 200): 3}
    assert sum(app.counts.seconds[EVENTS].counts) == 3


async def test_answers_are_told_apart_by_method_and_status(app: App) -> None:
    path = "/api/v1/channels/news/events"
    for method, target in (("GET", path), ("GET", f"{path}?status=304"), ("POST", f"{path}?status=201")):
        await app.send(method, target)
    await app.send("HEAD", path)
    assert app.counts.answers == {
        Answered("GET", EVENTS, 200): 1,
        Answered("GET", EVENTS, 304): 1,
        Answered("POST", EVENTS, 201): 1,
        Answered("HEAD", EVENTS, 200): 1,
    }


async def test_paths_and_methods_that_clients_make_up_are_one_series(app: App) -> None:
    for number in range(20):
        await app.send("GET", f"/made-up-{number}")
        await app.send("PROPFIND", f"/made-up-{number}")
    assert app.counts.answers == {Answered("GET", "none", 404): 20, Answered("OTHER", "none", 404): 20}


async def test_a_defect_is_a_500(app: App) -> None:
    await app.send("GET", "/x")
    assert app.counts.answers == {Answered("GET", "/x", 500): 1}


async def test_a_reader_is_open_while_it_is_served_and_a_long_poll_is_not_timed(app: App) -> None:
    for target in ("/api/v1/channels/news/events?wait=1", "/api/v1/channels/news/sse", "/api/v1/channels/news/events"):
        await app.send("GET", target)
    assert app.seen == [{"long_poll": 1}, {"stream": 1}, {}]
    assert not +app.counts.open
    assert sum(app.counts.seconds[EVENTS].counts) == 1


@pytest.mark.parametrize(
    ("kind", "method", "path", "query", "expected"),
    [
        ("websocket", "GET", "/api/v1/channels/news/ws", b"", "socket"),
        ("websocket", "GET", "/api/v1/ws", b"", "socket"),
        ("http", "GET", "/api/v1/channels/news/sse", b"", "stream"),
        ("http", "GET", "/api/v1/channels/news/events", b"limit=1&wait=20", "long_poll"),
        ("http", "GET", "/api/v1/channels/news/events", b"", None),
        ("http", "POST", "/api/v1/channels/news/events", b"wait=20", None),
        ("http", "GET", "/api/v1/channels/events", b"wait=20", None),
        ("http", "GET", "/api/v1/channels/sse", b"", None),
        ("http", "GET", "/api/v1/channels/sse/webhooks", b"", None),
    ],
)
def test_which_requests_are_held_open(kind: str, method: str, path: str, query: bytes, expected: Any) -> None:
    scope = {"type": kind, "method": method, "path": path, "query_string": query}
    assert reader_of(scope) == expected
