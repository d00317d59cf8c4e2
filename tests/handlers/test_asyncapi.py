"""The AsyncAPI document is a valid one, and complete: every connection, message and close code is in it."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from handlers.asyncapi import render_asyncapi
from handlers.channels.event_schemas import EVENT
from handlers.channels.multiplex.schemas import COMMANDS, MESSAGES
from handlers.routes import CONNECTIONS_OF_ALL
from tests.broker_server import BrokerServer

OFFICIAL = Path(__file__).parents[1] / "vendored" / "asyncapi" / "asyncapi-3.0.0.json"


@pytest.mark.parametrize("public_url", ["", "https://events.example.com", "http://[::1]:8000/behind"])
def test_the_document_matches_the_official_schema_of_asyncapi_3(public_url: str) -> None:
    official = jsonschema_rs.validator_for(json.loads(OFFICIAL.read_text()))
    document = render_asyncapi(CONNECTIONS_OF_ALL, public_url)
    assert [error.message for error in official.iter_errors(document)] == []
    assert not official.is_valid({**document, "channels": {"x": {"adress": "/"}}})


def test_every_reference_names_something_in_the_document() -> None:
    document = render_asyncapi(CONNECTIONS_OF_ALL, "")

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_events_are_described_by_the_schema_of_the_openapi_document() -> None:
    messages = render_asyncapi(CONNECTIONS_OF_ALL, "")["components"]["messages"]
    assert messages["event"]["payload"] == EVENT
    assert {*COMMANDS, *MESSAGES, "event"} <= messages.keys()
    assert all("id" not in schema["properties"] for schema in MESSAGES.values())


async def test_it_is_served_without_a_token(broker_server: BrokerServer) -> None:
    answer = await broker_server.http.get("/asyncapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(render_asyncapi(CONNECTIONS_OF_ALL, "")))
