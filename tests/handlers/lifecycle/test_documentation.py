"""The documents and the page say what the lifecycle API does."""

from typing import Any, get_args

import jsonschema_rs
import pytest

from handlers.asyncapi import render_asyncapi
from handlers.lifecycle.errors import ERRORS
from handlers.lifecycle.events import TYPES
from handlers.lifecycle.models import ErrorShown
from handlers.lifecycle.operations import FOLLOW_PATH, OPERATIONS, SERVICE
from handlers.openapi import render_openapi
from handlers.routes import CONNECTIONS_OF_ALL
from tests.handlers.lifecycle.calls import EARLIEST_NS, fresh, plan, query


def test_its_calls_are_those_of_the_contract() -> None:
    assert [each.path.removeprefix(f"{SERVICE}/") for each in OPERATIONS] == [
        *("Create", "Start", "Finish", "Cancel", "Select"),
    ]
    assert {(each.method, each.access) for each in OPERATIONS} == {("POST", "tenant")}


def test_every_call_that_writes_takes_an_idempotency_key() -> None:
    takes = {each.path.rpartition("/")[2]: {name.name for name in each.parameters} for each in OPERATIONS}
    assert takes.pop("Select") == set()
    assert set(map(frozenset, takes.values())) == {frozenset({"Idempotency-Key"})}


def test_every_refusal_is_documented_with_the_body_of_this_api() -> None:
    for path in render_openapi(OPERATIONS)["paths"].values():
        responses = path["post"]["responses"]
        assert {"200", "400", "401", "403", "413", "429", "503"} <= responses.keys()
        for status, response in responses.items():
            schema = response["content"]["application/json"]["schema"]
            assert ("code" in schema["properties"]) is (status != "200")
        assert path["post"]["security"] == [{"apiKey": []}]


@pytest.mark.parametrize("number", range(2))
def test_the_schemas_take_what_is_taken_and_no_more(number: int) -> None:
    body: Any = OPERATIONS[number].body
    validator = jsonschema_rs.Draft202012Validator(body)
    assert "$ref" not in str(body) and "title" not in body
    good, bad = [
        ({"arguments": [plan(), plan(None, schedule=1, planned_start_time=EARLIEST_NS)]}, {"arguments": [plan("x")]}),
        (query(*fresh(2)), {"arguments": [{"query": {"conditions": []}}]}),
    ][number]
    assert validator.is_valid(good) and not validator.is_valid(bad) and not validator.is_valid({})


def test_the_typed_events_are_in_the_asyncapi_document() -> None:
    document = render_asyncapi(CONNECTIONS_OF_ALL, "")
    channel = document["channels"]["lifecycleTeam"]
    assert channel["address"] == FOLLOW_PATH and list(channel["messages"]) == list(TYPES)
    for name in TYPES:
        payload = document["components"]["messages"][name]["payload"]
        assert payload["properties"]["type"] == {"const": name}
        assert "event" in payload["properties"]["data"]["properties"]


def test_the_table_of_errors_has_every_code() -> None:
    assert {each.code for each in ERRORS} == set(get_args(ErrorShown.model_fields["code"].annotation))
