"""The documents and the page say what cuey does."""

from typing import Any, get_args

import jsonschema_rs
import pytest

from handlers.asyncapi import render_asyncapi
from handlers.cuey.errors import ERRORS
from handlers.cuey.events import TYPES
from handlers.cuey.models import ErrorBody
from handlers.cuey.operations import CRONS, EVENTS, FOLLOW_PATH, OPERATIONS
from handlers.openapi import render_openapi
from handlers.routes import CONNECTIONS_OF_ALL
from tests.handlers.cuey.test_wire import CRON, GOOD


def test_its_calls_are_those_of_the_contract() -> None:
    expected = {("POST", False), ("GET", False), ("GET", True), ("PUT", True), ("DELETE", True)}
    for kind in (EVENTS, CRONS):
        own = [each for each in OPERATIONS if each.path.startswith(kind)]
        assert {(each.method, each.path != kind) for each in own} == expected
    assert {each.access for each in OPERATIONS} == {"tenant"}


def test_every_call_that_writes_takes_an_idempotency_key() -> None:
    for each in OPERATIONS:
        assert ("Idempotency-Key" in {name.name for name in each.parameters}) is (each.method != "GET")


def test_every_refusal_is_documented_with_the_body_of_this_api() -> None:
    for path in render_openapi(OPERATIONS)["paths"].values():
        for operation in path.values():
            assert {"401", "429", "503"} <= operation["responses"].keys()
            for status, response in operation["responses"].items():
                schema = response["content"]["application/json"]["schema"]
                assert ("error" in schema["properties"]) is (status not in ("200", "201"))


@pytest.mark.parametrize(("path", "good"), [(EVENTS, GOOD), (CRONS, CRON)])
def test_the_schemas_take_what_is_taken_and_no_more(path: str, good: dict[str, Any]) -> None:
    bodies: list[Any] = [each.body for each in OPERATIONS if (each.method, each.path) == ("POST", path)]
    [body] = bodies
    validator = jsonschema_rs.Draft202012Validator(body)
    assert "$ref" not in str(body)
    assert validator.is_valid(good) and validator.is_valid({**good, "headers": None, "payload": None})
    for bad in ({}, {**good, "method": "post"}, {**good, "retry_config": {"maxRetries": 11}}):
        assert not validator.is_valid(bad)


def test_the_typed_events_are_in_the_asyncapi_document() -> None:
    document = render_asyncapi(CONNECTIONS_OF_ALL, "")
    channel = document["channels"]["cueyTeam"]
    assert channel["address"] == FOLLOW_PATH and list(channel["messages"]) == list(TYPES)
    for name in TYPES:
        payload = document["components"]["messages"][name]["payload"]
        assert payload["properties"]["type"] == {"const": name}
        assert {"event", "cron"} & payload["properties"]["data"]["properties"].keys()


def test_the_table_of_errors_has_every_code() -> None:
    assert {each.code for each in ERRORS} == set(get_args(ErrorBody.model_fields["code"].annotation))
