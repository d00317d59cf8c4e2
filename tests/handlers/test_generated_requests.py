"""Generated requests at every operation of the OpenAPI document: no 5xx, and nothing that the document does not say.

Half of them are what the document allows, half are not; each goes with one of several credentials to names that exist
and names that do not. The server must go on serving whatever came.
"""

import asyncio
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from broker.api_keys import KeyRequest
from handlers.openapi import openapi_operations, render_openapi
from handlers.routes import OPERATIONS
from tests.broker_server import BrokerServer
from tests.error_tables import check_error

DOCUMENT = render_openapi([*OPERATIONS, *openapi_operations(OPERATIONS)])
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
EXAMPLES = 10
ANSWERED_WITHIN_S = 10
NAMED_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
PROMISES: list[Any] = CHECKS.get_by_names(list(NAMED_CHECKS))


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, item in DOCUMENT["paths"].items() for method in item]
)
async def test_whatever_is_sent_the_answer_is_one_of_the_documents(
    broker_server: BrokerServer, path: str, method: str
) -> None:
    await broker_server.create("news")
    await broker_server.create("secret", is_public=False)
    names = {"channel_id": ["news", "secret", "none"], "event_id": [(await broker_server.publish("news", 1))[0]["id"]]}
    tokens: list[str | None] = [
        None,
        "x.y.z",
        *(broker_server.token(scope, sub="tests") for scope in ("admin", "pub:*", "sub:secret")),
    ]
    keys = broker_server.broker.api_keys
    tokens += [(await keys.create(KeyRequest("acme", (api,))))[0] for api in ("lifecycle", "cuey", "live", "calendar")]
    await asyncio.to_thread(throw, broker_server.url, SCHEMA[path][method.upper()], names, tokens)
    assert (await broker_server.http.get("/readyz")).status_code == 200


def throw(url: str, operation: Any, names: dict[str, list[str]], tokens: list[str | None]) -> None:
    """Send generated cases of one operation and check each answer."""
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])

    @seed(operation.label)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    @given(cases, st.sampled_from(tokens), st.data())
    def send(case: schemathesis.Case[Any], token: str | None, data: st.DataObject) -> None:
        for name, known in names.items():
            if name in case.path_parameters and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(known))
        if isinstance(case.query, dict):
            case.query.pop("wait", None)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if "text/event-stream" in str(operation.definition.raw["responses"]):
            check_stream(case, url, headers, operation)
        else:
            answer = case.call(base_url=url, headers=headers, timeout=ANSWERED_WITHIN_S)
            case.validate_response(answer, checks=PROMISES)
            if answer.status_code >= 400 and answer.content:
                check_error(operation.path, answer.status_code, answer.json())

    send()


def check_stream(case: schemathesis.Case[Any], url: str, headers: dict[str, str], operation: Any) -> None:
    """A stream does not end by itself: its beginning is all that is looked at."""
    sent = case.as_transport_kwargs(base_url=url, headers=headers)
    with requests.request(**sent, stream=True, timeout=ANSWERED_WITHIN_S) as answer:
        assert str(answer.status_code) in operation.definition.raw["responses"], answer.text
