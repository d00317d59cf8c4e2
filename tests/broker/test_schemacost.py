"""The work that a schema can ask for."""

from typing import Any

import pytest

from broker.errors import Invalid
from broker.schemacost import MAX_PATTERNS, RECURSION_FACTOR, check_cost

SELF = {"$ref": "#"}


def doubling(levels: int, keyword: str = "allOf") -> dict[str, Any]:
    """Definitions that each name the next one twice."""
    names = {f"d{n}": {keyword: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": names | {f"d{levels}": {"type": "string"}}}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


def test_every_subschema_is_counted_as_often_as_it_is_opened() -> None:
    assert check_cost({"properties": {"a": {}, "b": {"$ref": "#/$defs/x"}}, "$defs": {"x": {}}}).steps == 4
    assert check_cost(doubling(3)).steps == 1 + 3 * (1 + 2 + 4) + 8


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_references_that_multiply_are_refused(keyword: str) -> None:
    with pytest.raises(Invalid, match="grows too large"):
        check_cost(doubling(24, keyword))


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"left": SELF, "right": SELF}},
        {"properties": {"children": {"items": SELF}}},
        {"anyOf": [{"items": SELF}, {"additionalProperties": SELF}, {"type": "string"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"b": {"$ref": "#/$defs/b"}}}, "b": {"items": SELF}}},
        {"properties": {"next": {"$ref": "#node"}}, "$defs": {"n": {"$anchor": "node", "items": {"$ref": "#node"}}}},
    ],
)
def test_a_plain_recursion_is_taken(schema: Any) -> None:
    assert check_cost(schema).steps >= RECURSION_FACTOR


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"properties": {"a": SELF}}, {"properties": {"a": SELF}}]},
        {"properties": {"a": SELF}, "patternProperties": {"^a": SELF}},
        {"properties": {"a": {"allOf": [SELF, {"properties": {"a": SELF}}]}}},
        {"items": SELF, "contains": SELF},
        {"prefixItems": [SELF], "items": SELF},
        {"if": {"properties": {"a": SELF}}, "then": {"properties": {"a": SELF}}},
        {"items": {"$ref": "#/$defs/a"}, "allOf": [{"items": SELF}], "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}},
        {"anyOf": [{"properties": {"a": SELF}}], "unevaluatedProperties": False},
    ],
)
def test_a_recursion_that_multiplies_is_refused(schema: Any) -> None:
    with pytest.raises(Invalid, match=r"recursive definition|twice at the same place"):
        check_cost(schema)


@pytest.mark.parametrize("schema", [SELF, {"allOf": [SELF]}, {"$ref": "#/$defs/a", "$defs": {"a": {"not": SELF}}}])
def test_a_definition_that_is_itself_is_refused(schema: Any) -> None:
    with pytest.raises(Invalid, match="without going into the data"):
        check_cost(schema)


@pytest.mark.parametrize("reference", ["http://x.example/s", "file:///etc/passwd", "other.json", "//x", "", "urn:x"])
def test_a_reference_outside_the_schema_is_refused(reference: str) -> None:
    with pytest.raises(Invalid, match='must begin with "#"'):
        check_cost({"$defs": {"unused": {"items": {"$ref": reference}}}})


@pytest.mark.parametrize("reference", ["#/$defs/b", "#nowhere", "#/$defs/a/0", "#/allOf/1", "#/allOf/-1", "#/allOf/x"])
def test_a_reference_that_leads_nowhere_is_refused(reference: str) -> None:
    with pytest.raises(Invalid, match="leads nowhere"):
        check_cost({"$defs": {"a": {}}, "allOf": [{"not": {"$ref": reference}}]})


def test_a_pointer_may_be_escaped() -> None:
    assert check_cost({"$ref": "#/$defs/a~1b%20~0c", "$defs": {"a/b ~c": {}}}).steps == 2


def test_depth_and_patterns_are_bounded() -> None:
    check_cost({"allOf": [nested(20), {"allOf": [{"pattern": "a"}] * MAX_PATTERNS}]})
    with pytest.raises(Invalid, match="deeper"):
        check_cost(nested(40))
    with pytest.raises(Invalid, match="patterns"):
        check_cost({"allOf": [{"pattern": "a"}] * MAX_PATTERNS, "patternProperties": {"b": {}}})


def test_unevaluated_keywords_count_double_each_time() -> None:
    schema: dict[str, Any] = {"properties": {"a": True}}
    for _ in range(12):
        schema = {"anyOf": [schema], "unevaluatedProperties": False}

    with pytest.raises(Invalid, match="grows too large"):
        check_cost(schema)


def test_alternatives_are_noticed() -> None:
    assert check_cost({"items": {"oneOf": [{}]}}).branching
    assert not check_cost({"items": {"allOf": [{}]}}).branching
