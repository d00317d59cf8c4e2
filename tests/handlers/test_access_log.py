"""The line that each request leaves, and its id."""

import logging
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from handlers.answering import Answering
from handlers.metrics.requests import RequestCounts
from handlers.serving.refusals import Refusals
from tests.handlers.serving.apps import EdgeApp
from tests.serving_app import ask, handshake, running_server


async def answer(request: Request) -> Response:
    """The status that the path asks for."""
    return Response(status_code=request.path_params["status"])


async def get(path: str, refusals: Refusals | None = None) -> httpx2.Response:
    """A request to an app behind the middleware."""
    middleware = [Middleware(Answering, refusals or Refusals(), RequestCounts())]
    app = Starlette(routes=[Route("/{status:int}", answer)], middleware=middleware)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
        return await client.get(path)


@pytest.mark.asyncio
async def test_a_request_is_logged_by_path_and_id_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "tidemark.access"):
        response = await get("/204?token=canary")
    [record] = [record for record in caplog.records if record.name == "tidemark.access"]
    fields = record.__dict__["fields"]
    assert fields.pop("duration_ms") >= 0
    assert fields == {
        "method": "GET",
        "path": "/204",
        "status": 204,
        "request_id": response.headers["x-request-id"],
    }
    assert "canary" not in str(record.__dict__)


@pytest.mark.asyncio
async def test_the_token_in_the_path_of_a_feed_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "tidemark.access"):
        await get("/ical/canary.ics")
    [record] = [record for record in caplog.records if record.name == "tidemark.access"]
    assert record.__dict__["fields"]["path"] == "/ical/" and "canary" not in str(record.__dict__)


@pytest.mark.asyncio
async def test_usual_requests_are_not_logged_at_info_but_failures_are(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tidemark.access"):
        await get("/200")
        await get("/404")
        await get("/503")
    levels = [record.levelname for record in caplog.records if record.name == "tidemark.access"]
    assert levels == ["WARNING"]


@pytest.mark.asyncio
async def test_errors_are_counted_by_status() -> None:
    refusals = Refusals()
    for path in ("/200", "/404", "/404", "/503"):
        await get(path, refusals)
    assert {name: count for name, count in refusals.counts().items() if count} == {"answer_404": 2, "answer_503": 1}


@pytest.mark.asyncio
@pytest.mark.parametrize(("message", "status"), [("accept", 101), ("close", 403)])
async def test_a_socket_is_logged_once_it_has_ended(
    caplog: pytest.LogCaptureFixture, message: str, status: int
) -> None:
    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await EdgeApp()(scope, receive, send)
            return
        await receive()
        await send({"type": f"websocket.{message}"})

    caplog.set_level(logging.DEBUG, "tidemark.access")
    async with running_server(Answering(socket, Refusals(), RequestCounts())) as running:
        raw = await ask(running.port, handshake("/x?token=canary"))
        assert (b"x-request-id" in raw.lower()) == (status == 101)
    [record] = [record for record in caplog.records if record.name == "tidemark.access"]
    fields = record.__dict__["fields"]
    assert (fields["method"], fields["path"], fields["status"]) == ("GET", "/x", status)
    assert "canary" not in str(record.__dict__)


async def test_a_socket_that_fails_before_it_opens_is_logged_as_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(*_: object) -> Any:
        raise RuntimeError("a defect")

    scope = {"type": "websocket", "path": "/x", "query_string": b"", "headers": []}
    with caplog.at_level(logging.INFO, "tidemark.access"), pytest.raises(RuntimeError):
        await Answering(fail, Refusals(), RequestCounts())(scope, fail, fail)
    [record] = [record for record in caplog.records if record.name == "tidemark.access"]
    assert (record.levelname, record.__dict__["fields"]["status"]) == ("WARNING", 500)


@pytest.mark.asyncio
async def test_every_request_has_its_own_id() -> None:
    ids = {(await get("/200")).headers["x-request-id"] for _ in range(10)}
    assert len(ids) == 10
