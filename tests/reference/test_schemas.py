"""What tables say of a JSON Schema."""

from typing import Any

import pytest

from reference.schemas import members_of, render_bounds, render_type


@pytest.mark.parametrize(
    ("schema", "kind", "bounds"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 200}, "string", "1 to 200 characters"),
        ({"type": "string", "minLength": 1}, "string", "not empty"),
        ({"anyOf": [{"type": "integer", "maximum": 1000}, {"type": "null"}]}, "integer or null", "at most 1,000"),
        ({"type": "array", "items": {"type": "integer", "minimum": 1}}, "array of integer", "each at least 1"),
        ({"enum": ["a", "b"]}, "`a` or `b`", ""),
        ({"const": 1}, "`1`", ""),
        ({"type": "string", "format": "date-time"}, "string (date-time)", ""),
        ({}, "any JSON", ""),
    ],
)
def test_types_and_bounds_in_words(schema: dict[str, Any], kind: str, bounds: str) -> None:
    assert (render_type(schema), render_bounds(schema)) == (kind, bounds)


def test_members_are_found_at_any_depth_and_in_all_alternatives() -> None:
    inner = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    schema = {"properties": {"a": {"anyOf": [inner, {"type": "null"}]}, "b": {"type": "array", "items": inner}}}
    assert [(each.path, each.is_required) for each in members_of(schema)] == [
        ("a", False),
        ("a.x", True),
        ("b", False),
        ("b[].x", True),
    ]
