"""Which error body a path has: that of its API, and of all others that of the channels API."""

from typing import Any

import pytest
from starlette.applications import Starlette

from handlers.envelopes import error_of, render_plain
from tests.broker_server import BrokerServer, running_broker

SERVICE = "/event.events.private.v1.Service"


def scope_of(path: str, **state: Any) -> dict[str, Any]:
    app = Starlette()
    for name, value in state.items():
        setattr(app.state, name, value)
    return {"type": "http", "app": app, "path": path}


@pytest.mark.parametrize(
    ("path", "is_own"),
    [("/a", True), ("/a/b", True), ("/a/", True), ("/ab", False), ("/", False), ("/b/a", False), ("", False)],
)
def test_an_api_has_its_error_body_on_its_path_and_below(path: str, is_own: bool) -> None:
    scope = scope_of(path, envelopes={"/a": lambda status, *_: (status + 1, {"own": 1})})
    expected = (401, {"own": 1}) if is_own else (400, {"error": "no", "details": []})
    assert error_of(scope, 400, "no", {"details": []}) == expected


def test_an_app_without_a_table_has_the_body_of_the_channels_api() -> None:
    assert error_of(scope_of("/a"), 404, "no", {}) == render_plain(404, "no", {}) == (404, {"error": "no"})


async def test_what_refuses_before_a_route_speaks_the_language_of_the_api(engine_url: str, tmp_path: Any) -> None:
    overrides = {"rates": {"requests_per_address_per_s": 0.01, "requests_per_address_burst": 1}}
    async with running_broker(engine_url, tmp_path / "key.json", overrides) as server:
        await server.http.post(SERVICE)
        refused = await server.http.post(f"{SERVICE}/Create")
        assert (refused.status_code, refused.json()["code"]) == (429, "resource_exhausted")
        assert int(refused.headers["Retry-After"]) >= 1
        assert "error" in (await server.http.get("/api/v1")).json()


async def test_a_path_that_only_begins_alike_is_no_path_of_the_api(broker_server: BrokerServer) -> None:
    assert (await broker_server.http.post(f"{SERVICE}s/Create")).json() == {"error": "Not Found"}
