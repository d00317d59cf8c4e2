"""Strict types: the texts of the contract, the whole schema, and nothing that runs away."""

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from broker.schemas import MAX_DETAILS, CompiledTypes, compile_types, parse_types_config

BAD_ENTRIES: list[Any] = [None, "x", [], 1, {"schema": "{}"}, {"schema": []}]
ALERT = {"type": "object", "properties": {"level": {"type": "integer"}}, "required": ["level"]}


def types_of(schema: Any) -> CompiledTypes:
    return compile_types({"strict_types": True, "types": {"alert": {"schema": schema}, "note": {"schema": {}}}})


def refusal_of(schema: Any, data: Any, event_type: str | None = "alert") -> Invalid:
    with pytest.raises(Invalid) as refusal:
        types_of(schema).check(event_type, data)
    return refusal.value


def test_a_fitting_event_passes() -> None:
    types_of(ALERT).check("alert", {"level": 3, "more": True})


@pytest.mark.parametrize("event_type", [None, ""])
def test_an_event_needs_a_type(event_type: str | None) -> None:
    assert refusal_of(ALERT, {}, event_type).message == "Event must have a type when publishing to a strict channel"


def test_an_unknown_type_is_told_the_known_ones() -> None:
    assert refusal_of(ALERT, {}, "X").message == 'Unknown event type "X". Allowed types: alert, note'


def test_a_mismatch_is_told_with_its_paths() -> None:
    refusal = refusal_of(ALERT | {"additionalProperties": False, "required": ["z"]}, {"level": "x", "q": [1]})

    assert refusal.message.startswith('Validation failed for type "alert": data: ')
    assert '; data.level: "x" is not of type "integer"' in refusal.message
    assert {"path": "data.level", "message": '"x" is not of type "integer"'} in refusal.extra["details"]


def test_a_path_leads_through_objects_and_lists() -> None:
    schema = {"properties": {"a": {"items": {"type": "string"}}}}

    assert [detail["path"] for detail in refusal_of(schema, {"a": ["x", 1]}).extra["details"]] == ["data.a.1"]


def test_details_are_few_and_short() -> None:
    many = refusal_of({"items": {"type": "integer"}}, ["x" * 1_000] * 40).extra["details"]
    large = refusal_of({"items": {"type": "integer"}}, ["x" * 30] * 2_000).extra["details"]

    assert len(many) == MAX_DETAILS
    assert all(len(detail["message"]) <= 300 for detail in many)
    assert len(large) == 1


@pytest.mark.parametrize(
    ("schema", "bad"),
    [
        ({"type": "array", "items": {"type": "integer"}}, ["x"]),
        ({"type": "object", "additionalProperties": False}, {"a": 1}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, 1.5),
        ({"prefixItems": [{"type": "string"}]}, [1]),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}, 2),
        ({"$ref": "#here", "$defs": {"a": {"$anchor": "here", "const": 1}}}, 2),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}, [1]),
        (False, 1),
    ],
)
def test_the_whole_schema_is_applied(schema: Any, bad: Any) -> None:
    assert refusal_of(schema, bad).message.startswith("Validation failed")


def test_an_entry_without_schema_is_its_properties() -> None:
    types = compile_types({"types": {"alert": {"level": {"type": "string"}}}})

    types.check("alert", {"level": "high"})
    with pytest.raises(Invalid, match=r"data\.level"):
        types.check("alert", {"level": 1})


def test_big_integers_are_judged_exactly() -> None:
    types_of({"const": 10**40}).check("alert", 10**40)
    assert refusal_of({"const": 10**40}, 10**40 + 1)


@pytest.mark.parametrize("types", [{}, None])
def test_strict_types_need_types(types: Any) -> None:
    with pytest.raises(Invalid, match=r"^strict_types requires types in config$"):
        parse_types_config({"strict_types": True, "types": types})
    with pytest.raises(Invalid, match=r"^strict_types requires types in config$"):
        parse_types_config({"strict_types": True})


@pytest.mark.parametrize("config", [None, {}, {"types": {"a": "text"}}, {"strict_types": False, "types": 5}])
def test_the_types_of_a_lax_channel_are_documentation(config: Any) -> None:
    parse_types_config(config)


@pytest.mark.parametrize(
    "config",
    [[], "x", {"strict_types": "yes"}, {"strict_types": 1}, {"strict_types": True, "types": []}]
    + [{"strict_types": True, "types": {"a": entry}} for entry in BAD_ENTRIES]
    + [{"strict_types": True, "types": {str(n): {} for n in range(201)}}],
)
def test_a_config_that_cannot_be_enforced_is_refused(config: Any) -> None:
    with pytest.raises(Invalid):
        parse_types_config(config)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strin"},
        {"properties": []},
        {"pattern": "("},
        {"pattern": "(?=a)a"},
        {"pattern": "(a)\\1"},
        {"patternProperties": {"(?!a)b": {}}},
        {"pattern": "(a{1000}){1000}"},
        {"$schema": "http://x.example/s"},
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        {"$schema": 7},
        {"$ref": "#/nowhere"},
        {"$ref": 5},
        {"description": "x" * 17_000},
        {"maxItems": -1},
    ],
)
def test_a_broken_schema_is_refused_when_it_is_set(schema: Any) -> None:
    with pytest.raises(Invalid):
        types_of(schema)


def test_a_pattern_that_backtracks_elsewhere_is_judged_at_once() -> None:
    assert refusal_of({"type": "string", "pattern": "^(a+)+$"}, "a" * 60_000 + "!")


@pytest.mark.timeout(10)
def test_a_large_event_that_fails_among_alternatives_is_told_as_a_whole() -> None:
    deep: Any = [1] * 20_000
    for _ in range(90):
        deep = [deep]

    refusal = refusal_of({"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]}, deep)
    assert refusal.extra["details"] == [{"path": "data", "message": "does not match the schema of its type"}]


@pytest.mark.parametrize("place", ["$ref", "$schema", "$dynamicRef"])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"properties": {"a": s}}, lambda s: {"$defs": {"unused": s}}])
def test_a_schema_never_connects_anywhere(place: str, wrap: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        try:
            types_of(wrap({place: f"http://127.0.0.1:{server.getsockname()[1]}/s"})).check("alert", {"a": 1})
        except Invalid as refusal:
            assert "alert" in refusal.message
        with pytest.raises(BlockingIOError):
            server.accept()


KEYWORDS = st.sampled_from(
    [
        "type",
        "$ref",
        "$id",
        "$anchor",
        "items",
        "properties",
        "allOf",
        "anyOf",
        "not",
        "pattern",
        "multipleOf",
        "enum",
        "maxLength",
        "patternProperties",
        "$defs",
        "const",
        "format",
        "required",
        "if",
        "then",
        "contains",
        "$schema",
    ]
)
TEXTS = st.sampled_from(["#", "#/$defs/a", "#a", "string", "^a+$", "(", "object", "http://x", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, width=32) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.just("a"), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYWORDS, JSON, max_size=5), JSON)
def test_any_schema_and_any_event_pass_or_are_invalid(schema: Any, data: Any) -> None:
    try:
        types_of(schema).check("alert", data)
    except Invalid:
        return
