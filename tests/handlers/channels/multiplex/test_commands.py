"""What a frame of a client says, or why it says nothing: shapes, refs, and strictness. No socket."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Refusal
from broker.events import EventLimits
from handlers.channels.multiplex.commands import Asked, Authenticate, Publish, Subscribe, Unsubscribe, parse_asked
from handlers.channels.multiplex.schemas import COMMANDS

LIMITS = EventLimits()
DOCUMENTED = [jsonschema_rs.validator_for(schema) for schema in COMMANDS.values()]


def parsed(frame: Any) -> Asked:
    return parse_asked(json.dumps(frame), LIMITS)


def refusal(text: str | bytes | None) -> tuple[int, str]:
    command = parse_asked(text, LIMITS).command
    assert isinstance(command, Refusal), command
    return command.status, command.message


@pytest.mark.parametrize(
    ("frame", "asked"),
    [
        ({"subscribe": {"channel": "news"}}, Asked(None, Subscribe("news", None, None, None, gap_is_error=False))),
        (
            {
                "ref": "a",
                "subscribe": {"channel": "news", "cursor": "c", "since": "s", "types": ["a"], "on_gap": "error"},
            },
            Asked("a", Subscribe("news", "c", "s", frozenset([b'"a"']), gap_is_error=True)),
        ),
        (
            {"subscribe": {"channel": "news", "types": []}},
            Asked(None, Subscribe("news", None, None, None, gap_is_error=False)),
        ),
        ({"ref": 1, "unsubscribe": {"channel": "news"}}, Asked(1, Unsubscribe("news"))),
        (
            {"publish": {"channel": "news", "data": 1, "key": "k"}},
            Asked(None, Publish("news", {"channel": "news", "data": 1, "key": "k"}, "k")),
        ),
        ({"ref": None, "token": "x.y.z"}, Asked(None, Authenticate("x.y.z"))),
    ],
)
def test_a_command_is_read_with_its_ref(frame: Any, asked: Asked) -> None:
    assert parsed(frame) == asked


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("{", 400, "Malformed JSON"),
        ("", 400, "Malformed JSON"),
        ('{"ref":NaN}', 400, "Malformed JSON"),
        (b"{}", 400, "A command is a text frame"),
        (None, 400, "A command is a text frame"),
        ("[]", 400, "A command is a JSON object"),
        ("7", 400, "A command is a JSON object"),
        ("{}", 400, "A command has one of subscribe, unsubscribe, publish, token"),
        ('{"ref":1}', 400, "A command has one of subscribe, unsubscribe, publish, token"),
        ('{"ping":1}', 400, "A command has one of subscribe, unsubscribe, publish, token"),
        ('{"token":"x","publish":{}}', 400, "A command has one of subscribe, unsubscribe, publish, token"),
        ('{"token":"x","cursor":1}', 400, "Unknown member 'cursor'"),
        ('{"subscribe":"news"}', 400, "subscribe must be an object"),
        ('{"subscribe":{}}', 400, "channel must be the id of a channel"),
        ('{"subscribe":{"channel":7}}', 400, "channel must be the id of a channel"),
        ('{"subscribe":{"channel":"{p00}x"}}', 404, "Channel not found"),
        ('{"subscribe":{"channel":"news","curser":"x"}}', 400, "Unknown member 'curser'"),
        ('{"subscribe":{"channel":"news","cursor":7}}', 400, "cursor must be a string"),
        ('{"subscribe":{"channel":"news","since":7}}', 400, "since must be a string"),
        ('{"subscribe":{"channel":"news","types":"a"}}', 400, "types must be a list of strings"),
        ('{"subscribe":{"channel":"news","types":[1]}}', 400, "types must be a list of strings"),
        ('{"subscribe":{"channel":"news","on_gap":true}}', 400, "on_gap must be error or continue"),
        ('{"unsubscribe":{"channel":"news","cursor":"x"}}', 400, "Unknown member 'cursor'"),
        ('{"publish":[]}', 400, "publish must be an object"),
        ('{"publish":{"data":1}}', 400, "channel must be the id of a channel"),
        ('{"publish":{"channel":"news","data":1,"key":1}}', 400, "key must be a string"),
        ('{"token":null}', 400, "token must be a string"),
    ],
)
def test_what_is_no_command_is_refused_with_what_is_wrong(text: str | bytes | None, status: int, message: str) -> None:
    assert refusal(text) == (status, message)


@pytest.mark.parametrize("ref", [0, -1, (1 << 53) - 1, "", "x" * 64])
def test_a_ref_is_kept_also_where_the_command_is_refused(ref: Any) -> None:
    asked = parsed({"ref": ref, "subscribe": 7})
    assert asked.ref == ref and isinstance(asked.command, Refusal)


@pytest.mark.parametrize("ref", [True, 1.5, 1 << 53, "x" * 65, [], {}])
def test_a_bad_ref_refuses_the_command_and_is_not_repeated(ref: Any) -> None:
    asked = parsed({"ref": ref, "unsubscribe": {"channel": "news"}})
    assert asked.ref is None and isinstance(asked.command, Refusal)


def test_data_may_be_as_deep_as_over_http() -> None:
    deepest = "[" * 99 + "]" * 99
    assert isinstance(parse_asked(f'{{"publish":{{"channel":"news","data":{deepest}}}}}', LIMITS).command, Publish)
    assert refusal(f'{{"publish":{{"channel":"news","data":[{deepest}]}}}}')[0] == 400


members = st.sampled_from(
    ["ref", "subscribe", "unsubscribe", "publish", "token", "channel", "cursor", "since", "types", "on_gap", "data",
     "events", "key", "id"]
)  # fmt: skip
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["news", "error", "continue", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_any_json_is_a_command_or_refused_and_what_is_documented_is_not_a_400(value: Any) -> None:
    asked = parsed(value)
    if isinstance(asked.command, Refusal):
        assert asked.command.status in (400, 404)
        assert asked.command.status == 404 or not any(schema.is_valid(value) for schema in DOCUMENTED)


@given(st.text() | st.binary())
def test_any_bytes_are_refused_or_read(text: str | bytes) -> None:
    parse_asked(text, LIMITS)
