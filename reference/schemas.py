"""What a JSON Schema says, in words for a cell of a table: types, bounds, and the members of an object. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from handlers.operations import Schema

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "{} item or more",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} members",
}
_PAIRS = (
    ("minimum", "maximum", "{} to {}"),
    ("minLength", "maxLength", "{} to {} characters"),
    ("minItems", "maxItems", "{} to {} items"),
)


class Member(NamedTuple):
    """A member at its path, such as `query.conditions[].ids`, and its schema."""

    path: str
    schema: Schema
    is_required: bool


def members_of(schema: Schema, path: str = "") -> Iterator[Member]:
    """Every member of an object and of what is in it; of alternatives those of each."""
    seen: set[str] = set()
    for each in _alternatives(schema):
        required = each.get("required", ())
        for name, member in each.get("properties", {}).items():
            at = f"{path}.{name}" if path else name
            if at not in seen:
                seen.add(at)
                yield Member(at, member, name in required)
                yield from members_of(member, at)
        if isinstance(each.get("items"), Mapping):
            yield from members_of(each["items"], f"{path}[]")


def render_type(schema: Schema) -> str:
    """Of which type a value is: `string`, `array of string`, `"a" or "b"`, `string or null`."""
    words = [_type_of(each) for each in _alternatives(schema)]
    return " or ".join(dict.fromkeys(word for word in words if word)) or "any JSON"


def render_bounds(schema: Schema) -> str:
    """The bounds of a value, and of the items of an array; empty for none."""
    return "; ".join(dict.fromkeys(bound for each in _alternatives(schema) for bound in _bounds_of(each)))


def _alternatives(schema: Schema) -> list[Schema]:
    choices = schema.get("anyOf") or schema.get("oneOf")
    return [deeper for each in choices for deeper in _alternatives(each)] if choices else [schema]


def _type_of(schema: Schema) -> str:
    if "const" in schema or "enum" in schema:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        return " or ".join(f"`{value}`" for value in values)
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array" and schema.get("items"):
        return f"array of {render_type(schema['items'])}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _bounds_of(schema: Schema) -> Iterator[str]:
    left = dict(schema)
    if [left.get(name) for name in ("minLength", "maxLength")] == [1, None]:
        left.pop("minLength")
        yield "not empty"
    for low, high, words in _PAIRS:
        if low in left and high in left:
            yield words.format(_number(left.pop(low)), _number(left.pop(high)))
    yield from (words.format(_number(left[name])) for name, words in _BOUNDS.items() if name in left)
    if schema.get("uniqueItems"):
        yield "each once"
    if isinstance(schema.get("items"), Mapping):
        yield from (f"each {bound}" for bound in _bounds_of(schema["items"]))


def _number(value: Any) -> str:
    return f"{value:,}"
