"""What a PATCH changes, the bounds of a channel's record, and reserved channels (contract sections 4 and 7)."""

from typing import Any

import pytest

from broker.channels import NewChannel
from tests.broker_server import BrokerServer
from tests.handlers.channels.channel_calls import CHANNELS, NEWS, STRICT, ask, created, shown


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


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
