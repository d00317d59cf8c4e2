"""Schemas of models stand alone."""

from typing import Annotated, Any

import jsonschema_rs
from pydantic import BaseModel, Field

from handlers.model_schemas import schema_of


class Leaf(BaseModel):
    """A leaf."""

    title: int


class Tree(BaseModel):
    """A tree."""

    leaves: list[Leaf]
    best: Annotated[Leaf | None, Field(description="The best.")] = None
    one: Annotated[Leaf, Field(description="One.")]


def test_definitions_stand_where_they_are_referred_to() -> None:
    schema = schema_of(Tree)
    assert "$ref" not in str(schema) and "$defs" not in schema
    leaf: dict[str, Any] = {"description": "A leaf.", "properties": {"title": {"type": "integer"}}}
    leaf |= {"required": ["title"], "type": "object"}
    assert schema["properties"]["leaves"]["items"] == leaf
    assert schema["properties"]["one"] == {**leaf, "description": "One."}


def test_it_takes_what_the_model_takes() -> None:
    validator = jsonschema_rs.Draft202012Validator(schema_of(Tree))
    assert validator.is_valid({"leaves": [{"title": 1}], "one": {"title": 2}})
    assert not validator.is_valid({"leaves": [{}], "one": {"title": 2}})
