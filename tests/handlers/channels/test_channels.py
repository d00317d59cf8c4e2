"""Managing channels over HTTP: create, show, change, delete (contract sections 1, 4, 6 and 7)."""

import re
from typing import Any

import pytest

from broker.channels import NewChannel
from broker.scopes import RESERVED_PREFIXES
from tests.broker_server import API, BrokerServer

CHANNELS = f"{API}/channels"
NEWS = f"{CHANNELS}/news"
ALERT = {"type": "object", "properties": {"level": {"type": "integer"}}, "required": ["level"]}
STRICT = {"strict_types": True, "types": {"alert": {"schema": ALERT}}}


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


async def ask(server: BrokerServer, method: str, path: str, body: Any = None, scope: str = "admin") -> Any:
    return await server.http.request(method, path, json=body, headers=server.bearer(scope))


async def created(server: BrokerServer, **fields: Any) -> Any:
    return await ask(server, "POST", CHANNELS, {"id": "fresh", "name": "Fresh", **fields})


async def shown(server: BrokerServer, path: str = NEWS) -> dict[str, Any]:
    answer = await server.http.get(path, headers=server.bearer("admin"))
    assert answer.status_code == 200, answer.text
    channel: dict[str, Any] = answer.json()
    return channel


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


def sized(json_bytes: int) -> dict[str, str]:
    """An object of exactly so many bytes of JSON."""
    return {"a": "x" * (json_bytes - len('{"a":""}'))}


def strict(schema: Any) -> dict[str, Any]:
    return {"config": {"strict_types": True, "types": {"a": {"schema": schema}}}}


AROUND_SCHEMA = len('{"a":{"schema":}}')
LIMITS: dict[str, tuple[dict[str, Any], int]] = {
    "longest name": ({"name": "n" * 200}, 200),
    "name too long": ({"name": "n" * 201}, 400),
    "empty name": ({"name": ""}, 400),
    "description no text": ({"description": 7}, 400),
    "tags no list": ({"tags": "a"}, 400),
    "is_public no boolean": ({"is_public": "yes"}, 400),
    "largest meta": ({"meta": sized(16_384)}, 200),
    "meta too large": ({"meta": sized(16_385)}, 413),
    "meta no object": ({"meta": []}, 400),
    "largest config": ({"config": sized(32_768)}, 200),
    "config too large": ({"config": sized(32_769)}, 413),
    "config no object": ({"config": "{}"}, 400),
    "largest schema": (strict(sized(16_384 - AROUND_SCHEMA)), 200),
    "schema too large": (strict(sized(16_385 - AROUND_SCHEMA)), 400),
    "strict without types": ({"config": {"strict_types": True}}, 400),
    "strict with no types": ({"config": {"strict_types": True, "types": {}}}, 400),
    "strict_types no boolean": ({"config": {"strict_types": 1, "types": {"a": {}}}}, 400),
    "no JSON Schema": (strict({"type": "strin"}), 400),
    "schema that reaches out": (strict({"$ref": "http://127.0.0.1/x"}), 400),
    "schema that looks ahead": (strict({"pattern": "(?=a)"}), 400),
    "types as documentation": ({"config": {"types": {"a": {"schema": {"type": "strin"}}}}}, 200),
}
EACH_LIMIT = pytest.mark.parametrize(("fields", "status"), LIMITS.values(), ids=LIMITS.keys())


@EACH_LIMIT
async def test_a_create_is_taken_at_its_limits_and_leaves_nothing_beyond(
    broker_server: BrokerServer, fields: dict[str, Any], status: int
) -> None:
    answer = await created(broker_server, **fields)
    assert answer.status_code == (201 if status == 200 else status), answer.text
    assert status == 200 or next(iter(answer.json())) == "error"
    assert (await ask(broker_server, "GET", f"{CHANNELS}/fresh")).status_code == (200 if status == 200 else 404)


@EACH_LIMIT
async def test_a_patch_is_taken_at_its_limits_and_changes_nothing_beyond(
    server: BrokerServer, fields: dict[str, Any], status: int
) -> None:
    before = await shown(server)
    answer = await ask(server, "PATCH", NEWS, {"description": "patched", **fields})
    assert answer.status_code == status, answer.text
    assert await shown(server) == (before | {"description": "patched"} | fields if status == 200 else before)


BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b'{"meta":NaN}',
    b'{"name":"\\ud800"}',
    b'{"meta":{"a":1e400}}',
    b"\xff",
    b'{"name":"N","meta":' + b'{"a":' * 101 + b"1" + b"}" * 101 + b"}",
]


@pytest.mark.parametrize("body", BAD_BODIES)
async def test_a_body_that_is_no_json_object_is_400(server: BrokerServer, body: bytes) -> None:
    before = await shown(server)
    for method, path in (("POST", CHANNELS), ("PATCH", NEWS), ("PATCH", f"{NEWS}/meta")):
        answer = await server.http.request(method, path, content=body, headers=server.bearer("admin"))
        assert (answer.status_code, next(iter(answer.json()))) == (400, "error"), (method, path)
    assert await shown(server) == before


async def test_a_body_over_the_limit_is_413(server: BrokerServer) -> None:
    answer = await ask(server, "PATCH", NEWS, {"unknown": "x" * 1_048_577})
    assert (answer.status_code, next(iter(answer.json()))) == (413, "error")


async def test_a_patch_answers_the_channel_and_changes_what_it_names(server: BrokerServer) -> None:
    answer = await ask(server, "PATCH", NEWS, {"name": "News", "tags": ["a"], "meta": {"x": 1}, "config": {"y": 2}})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": "news",
            "name": "News",
            "description": None,
            "tags": ["a"],
            "is_public": True,
            "config": {"y": 2},
            "meta": {"x": 1},
        },
    )
    cleared = await ask(server, "PATCH", NEWS, {"tags": None, "meta": None, "config": None, "id": "other"})
    assert cleared.json() == answer.json() | {"tags": [], "meta": None, "config": None}


async def test_an_empty_patch_changes_nothing(server: BrokerServer) -> None:
    record = await server.broker.channels.refresh("news")
    answer = await ask(server, "PATCH", NEWS, {})
    assert (answer.status_code, answer.json()["name"]) == (200, "news")
    assert await server.broker.channels.refresh("news") == record


async def test_strict_types_without_types_are_refused_also_where_there_were_types(server: BrokerServer) -> None:
    assert (await ask(server, "PATCH", NEWS, {"config": STRICT})).status_code == 200
    answer = await ask(server, "PATCH", NEWS, {"config": {"strict_types": True}})
    assert (answer.status_code, answer.json()["error"]) == (400, "strict_types requires types in config")
    assert (await shown(server))["config"] == STRICT


async def test_types_act_from_the_patch_on(server: BrokerServer) -> None:
    async def publish(data: Any) -> int:
        body = {"type": "alert", "data": data}
        answer = await server.http.post(f"{NEWS}/events", json=body, headers=server.bearer("pub:news"))
        return int(answer.status_code)

    assert await publish("anything") == 201
    await ask(server, "PATCH", NEWS, {"config": STRICT})
    assert [await publish("anything"), await publish({"level": 1})] == [400, 201]
    await ask(server, "PATCH", NEWS, {"config": None})
    assert await publish("anything") == 201


async def test_a_meta_patch_merges(server: BrokerServer) -> None:
    meta = f"{NEWS}/meta"
    assert (await ask(server, "PATCH", meta, {"a": {"x": 1}, "b": 2})).json() == {
        "id": "news",
        "meta": {"a": {"x": 1}, "b": 2},
    }
    assert (await ask(server, "PATCH", meta, {"a": {"y": 1}, "b": None})).json()["meta"] == {"a": {"y": 1}}
    assert (await ask(server, "PATCH", meta, {})).json()["meta"] == {"a": {"y": 1}}
    assert (await ask(server, "PATCH", meta, {"a": None})).json()["meta"] is None


async def test_a_meta_that_grows_over_its_limit_is_413_and_stays(server: BrokerServer) -> None:
    meta = f"{NEWS}/meta"
    whole = {"a": "x" * (16_384 - 8)}
    assert (await ask(server, "PATCH", meta, whole)).status_code == 200
    assert (await ask(server, "PATCH", meta, {"b": 1})).status_code == 413
    assert (await shown(server))["meta"] == whole


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


RESERVED = f"{CHANNELS}/live-watch-x"


@pytest.fixture
async def reserved(broker_server: BrokerServer) -> BrokerServer:
    new = NewChannel("live-watch-x", "Watch", is_public=True, config={"types": {"a": {"schema": {}}}})
    await broker_server.broker.channels.create(new)
    return broker_server


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", RESERVED, None),
        ("DELETE", f"{CHANNELS}/live-watch-none", None),
        ("PATCH", RESERVED, {"name": "x"}),
        ("PATCH", RESERVED, {"is_public": False}),
        ("PATCH", RESERVED, {"config": None}),
        ("PATCH", RESERVED, {"config": {"strict_types": True}}),
        ("PATCH", f"{RESERVED}/meta", {"a": 1}),
        ("POST", f"{RESERVED}/events", {"data": 1}),
    ],
)
async def test_a_reserved_channel_refuses_everybody(reserved: BrokerServer, method: str, path: str, body: Any) -> None:
    before = await shown(reserved, RESERVED)
    answer = await ask(reserved, method, path, body)
    assert (answer.status_code, "error" in answer.json()) == (403, True)
    assert await shown(reserved, RESERVED) == before


async def test_the_retention_of_a_reserved_channel_can_be_changed(reserved: BrokerServer) -> None:
    answer = await ask(reserved, "PATCH", RESERVED, {"config": {"storage": {"retention_days": 1}}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["config"] == {"types": {"a": {"schema": {}}}, "storage": {"retention_days": 1}}


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS"])
async def test_another_method_is_405_with_those_that_there_are(server: BrokerServer, method: str) -> None:
    answer = await server.http.request(method, NEWS)
    assert (answer.status_code, "error" in answer.json()) == (405, True)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE"}


@pytest.mark.parametrize("path", [f"{CHANNELS}/", f"{NEWS}/", f"{NEWS}/nothing"])
async def test_another_path_is_404_and_no_redirect(server: BrokerServer, path: str) -> None:
    answer = await server.http.get(path)
    assert (answer.status_code, "error" in answer.json()) == (404, True)
