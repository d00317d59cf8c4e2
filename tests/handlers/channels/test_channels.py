"""Managing channels over HTTP: create, show, delete, and who may (contract sections 1, 4 and 6)."""

import re

import pytest

from broker.scopes import RESERVED_PREFIXES
from tests.broker_server import API, BrokerServer
from tests.handlers.channels.channel_calls import CHANNELS, NEWS, STRICT, ask, created, shown


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


async def test_a_created_channel_comes_with_a_token_that_publishes_and_reads(broker_server: BrokerServer) -> None:
    answer = await created(broker_server)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "private, no-store")
    assert answer.json().keys() == {"id", "token"} and answer.json()["id"] == "fresh"
    claims = broker_server.broker.verifier.claims_of(answer.json()["token"])
    assert claims.keys() == {"scopes", "iat"}
    assert claims["scopes"] == ["pub:fresh", "sub:fresh"]

    events, headers = f"{CHANNELS}/fresh/events", {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await broker_server.http.post(events, json={"data": 1}, headers=headers)).status_code == 201
    assert (await broker_server.http.get(events, headers=headers)).status_code == 200
    assert (await broker_server.http.get(events)).status_code == 401, "private by default"


async def test_a_created_channel_has_what_its_creator_said(broker_server: BrokerServer) -> None:
    said = {
        "name": "Fresh",
        "description": "All of it",
        "tags": ["a", "b"],
        "is_public": True,
        "config": {**STRICT, "storage": {"retention_days": 3}, "mine": [12345678901234567890123]},
        "meta": {"color": None, "n": 1.0},
    }
    assert (await created(broker_server, **said)).status_code == 201
    channel = await shown(broker_server, f"{CHANNELS}/fresh")
    assert {"id": "fresh", **said}.items() <= channel.items()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", channel["created_at"])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", CHANNELS), ("PATCH", NEWS), ("PATCH", f"{NEWS}/meta"), ("DELETE", NEWS), ("GET", f"{API}/roles")],
)
async def test_without_a_good_token_nothing_is_looked_at(
    server: BrokerServer, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await server.http.request(method, path, content=b"{", headers=headers)
    assert (answer.status_code, "error" in answer.json()) == (401, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CHANNELS),
        ("PATCH", f"{CHANNELS}/none"),
        ("PATCH", f"{CHANNELS}/none/meta"),
        ("DELETE", f"{CHANNELS}/none"),
    ],
)
async def test_without_the_admin_scope_it_is_403_before_404_and_400(
    server: BrokerServer, method: str, path: str
) -> None:
    for scope in ("pub:*", "sub:*", "pub:none"):
        answer = await server.http.request(method, path, content=b"{", headers=server.bearer(scope))
        assert (answer.status_code, answer.json()["error"]) == (403, "Insufficient permissions")


@pytest.mark.parametrize("path", [f"{CHANNELS}/none", f"{CHANNELS}/none/meta", f"{CHANNELS}/cuey-team-x"])
async def test_an_unknown_channel_is_404_before_its_body_is_looked_at(server: BrokerServer, path: str) -> None:
    answer = await server.http.request("PATCH", path, content=b"{", headers=server.bearer("admin"))
    assert (answer.status_code, answer.json()["error"]) == (404, "Channel not found")


async def test_a_token_in_the_query_changes_nothing(server: BrokerServer) -> None:
    token = server.token("admin")
    for method, path in (("POST", CHANNELS), ("PATCH", NEWS), ("DELETE", NEWS)):
        assert (await server.http.request(method, f"{path}?token={token}", json={})).status_code == 401


async def test_an_id_is_taken_once(server: BrokerServer) -> None:
    answer = await ask(server, "POST", CHANNELS, {"id": "news", "name": "Other"})
    assert (answer.status_code, answer.json()["error"]) == (409, "Channel already exists")
    assert (await shown(server))["name"] == "news"


@pytest.mark.parametrize("prefix", RESERVED_PREFIXES)
async def test_a_reserved_id_is_409(server: BrokerServer, prefix: str) -> None:
    answer = await ask(server, "POST", CHANNELS, {"id": f"{prefix}x", "name": "N"})
    assert (answer.status_code, "reserved" in answer.json()["error"]) == (409, True)
    assert (await server.http.get(f"{CHANNELS}/{prefix}x")).status_code == 404


async def test_a_channel_shows_what_its_log_says(server: BrokerServer) -> None:
    empty = await shown(server)
    assert (empty["event_count"], empty["last_event_id"], empty["last_event_at"]) == (0, None, None)
    events = await server.publish("news", 1, 2)
    await server.http.delete(f"{NEWS}/events/{events[1]['id']}", headers=server.bearer("admin"))
    full = await shown(server)
    assert (full["event_count"], full["last_event_id"]) == (2, events[1]["id"])
    assert full["last_event_at"] == events[1]["created_at"]


async def test_a_channel_shows_how_many_follow_it(server: BrokerServer) -> None:
    assert (await shown(server))["subscriber_count"] == 0
    async with server.socket("/channels/news/ws"), server.socket("/channels/news/ws"):
        assert (await shown(server))["subscriber_count"] == 2


async def test_a_channel_is_shown_to_those_who_may_read_it(server: BrokerServer) -> None:
    await server.create("secret", is_public=False)
    secret = f"{CHANNELS}/secret"
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer x.y.z"}, 401),
        (server.bearer("pub:secret"), 403),
        (server.bearer("sub:other"), 403),
        (server.bearer("sub:sec*"), 200),
    ):
        answer = await server.http.get(secret, headers=headers)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "private, no-store")
    assert (await server.http.get(f"{secret}?token={server.token('sub:secret')}")).status_code == 200
    assert (await server.http.get(NEWS, headers={"Authorization": "Bearer x.y.z"})).status_code == 200
    assert (await server.http.get(NEWS)).headers["Cache-Control"] == "no-store"
    assert (await server.http.get(f"{CHANNELS}/none")).status_code == 404
    assert (await server.http.head(NEWS)).status_code == 200


async def test_a_channel_is_deleted_once(server: BrokerServer) -> None:
    answers = [await ask(server, "DELETE", NEWS) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 404]
    assert answers[0].content == b""
    for path in (NEWS, f"{NEWS}/events"):
        assert (await server.http.get(path)).status_code == 404
    assert (
        await server.http.post(f"{NEWS}/events", json={"data": 1}, headers=server.bearer("admin"))
    ).status_code == 404


async def test_a_channel_created_again_starts_empty_and_an_old_cursor_is_told_of_the_gap(server: BrokerServer) -> None:
    old = await server.publish("news", 1, 2)
    await ask(server, "DELETE", NEWS)
    assert (await ask(server, "POST", CHANNELS, {"id": "news", "name": "N", "is_public": True})).status_code == 201
    channel = await shown(server)
    assert (channel["event_count"], channel["last_event_id"]) == (0, None)
    assert (await server.http.get(f"{NEWS}/events")).json()["events"] == []
    assert (await server.http.get(f"{NEWS}/events/{old[0]['id']}")).status_code == 404

    new = await server.publish("news", 3)
    assert new[0]["id"] > old[1]["id"]
    page = (await server.http.get(f"{NEWS}/events?cursor={old[0]['id']}")).json()
    assert (page["events"], page["complete"], page["oldest"]) == (new, False, new[0]["id"])
    assert (await server.http.get(f"{NEWS}/events?cursor={old[0]['id']}&on_gap=error")).status_code == 410
    since = (await server.http.get(f"{NEWS}/events?since=2020-01-01")).json()
    assert (since["events"], since["complete"]) == (new, True)


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS"])
async def test_another_method_is_405_with_those_that_there_are(server: BrokerServer, method: str) -> None:
    answer = await server.http.request(method, NEWS)
    assert (answer.status_code, "error" in answer.json()) == (405, True)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE"}


@pytest.mark.parametrize("path", [f"{CHANNELS}/", f"{NEWS}/", f"{NEWS}/nothing"])
async def test_another_path_is_404_and_no_redirect(server: BrokerServer, path: str) -> None:
    answer = await server.http.get(path)
    assert (answer.status_code, "error" in answer.json()) == (404, True)
