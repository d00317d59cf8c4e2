"""JSON Schemas of pydantic models, each whole in itself: a channel's types and the documents take no `$ref`. Pure."""

from functools import cache
from typing import Any

from pydantic import BaseModel


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what a model takes; its definitions stand where they are referred to."""
    schema = model.model_json_schema()
    definitions: dict[str, Any] = schema.pop("$defs", {})
    whole: dict[str, Any] = _whole(schema, definitions)
    return whole


def _whole(value: Any, definitions: dict[str, Any]) -> Any:
    match value:
        case {"$ref": str(reference), **others}:
            target = definitions[reference.removeprefix("#/$defs/")]
            return {**_whole(target, definitions), **_whole(others, definitions)}
        case dict():
            return {name: _whole(each, definitions) for name, each in value.items() if not _is_noise(name, each)}
        case list():
            return [_whole(each, definitions) for each in value]
        case _:
            return value


def _is_noise(name: str, value: Any) -> bool:
    # pydantic titles everything by the names of Python.
    return name == "title" and isinstance(value, str)
