"""How much work a JSON Schema can ask for: refuses those whose references multiply (reliability.md section E).

A validator follows every `$ref` each time it meets it. Twenty-four definitions that each name the next one twice keep
it busy for minutes, and one that names itself twice at the same place does so for any deeply nested event. So the
schema is walked as a validator walks it, every reference opened:

- outside recursion, the opened schema may have at most `MAX_STEPS` subschemas;
- a definition may refer to itself (a tree, a thread of comments), but two such references must lie at different places
  of the data, and may not surround another recursive definition. Then each round meets every place of an event once.

References stay inside the schema: `#`, a JSON pointer from it (RFC 6901), or an `$anchor`.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple
from urllib.parse import unquote

from broker.errors import Invalid

MAX_STEPS = 1_000
"""How many subschemas the opened schema may have."""

MAX_DEPTH = 32
"""How deep the values of a schema may be nested."""

MAX_OPENED_DEPTH = 100
"""How deep subschemas may be nested once references are opened."""

MAX_PATTERNS = 50
"""How many patterns a schema may have; each costs time and memory when it is compiled."""

RECURSION_FACTOR = 32
"""How many rounds of a recursion are reckoned with."""

_HERE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_HERE_BY_NAME = ("dependentSchemas", "dependencies")
_ENTRIES = ("items", "additionalItems", "contains", "unevaluatedItems")
_MEMBERS = ("additionalProperties", "unevaluatedProperties")
_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")


class _Step(NamedTuple):
    """One step into the data: to a `member` of an object or an `entry` of an array; no name stands for any of them."""

    kind: str
    name: str | None


class _Loop(NamedTuple):
    """A reference back to a definition that is open, and the way from there into the data."""

    target: int
    way: tuple[_Step, ...]


class _Spot(NamedTuple):
    """Where the walk is: its place in the data, the definitions that are open with their places, the nesting."""

    place: tuple[_Step, ...] = ()
    opened: tuple[tuple[int, int], ...] = ()
    depth: int = 0
    weight: int = 1


class Cost(NamedTuple):
    """What a schema costs: subschemas when opened, those within a recursion counted `RECURSION_FACTOR` times.

    `branching` tells whether it has alternatives (`anyOf`, `oneOf`): a mismatch is then told with all of theirs.
    """

    steps: int
    branching: bool


def check_cost(schema: Any) -> Cost:
    """The cost of `schema`; raises Invalid when checking an event could take more than time linear in the event."""
    survey = _Survey()
    survey.look(schema)
    if survey.patterns > MAX_PATTERNS:
        raise Invalid(f"it has more than {MAX_PATTERNS} patterns")
    walk = _Walk(schema, survey.anchors)
    _, recursive = walk.enter(schema, _Spot())
    return Cost(walk.steps * (RECURSION_FACTOR if recursive else 1), survey.branching)


class _Walk:
    """One walk over one schema, counting its steps."""

    def __init__(self, root: Any, anchors: Mapping[str, Any]) -> None:
        self._root = root
        self._anchors = anchors
        self.steps = 0

    def enter(self, schema: Any, spot: _Spot) -> tuple[list[_Loop], bool]:
        """Opens a definition. Tells the loops to definitions further out, and whether a recursion lies within."""
        here = (id(schema), len(spot.place))
        loops, recursive = self._visit(schema, spot._replace(opened=(*spot.opened, here)))
        own = [loop for loop in loops if loop.target == id(schema)]
        if not own:
            return loops, recursive
        if recursive or len(own) < len(loops):
            raise Invalid("a recursive definition surrounds another one")
        if any(_meet(one.way, other.way) for one, other in combinations(own, 2)):
            raise Invalid("a definition refers to itself twice at the same place of the data")
        return [], True

    def _visit(self, schema: Any, spot: _Spot) -> tuple[list[_Loop], bool]:
        if not isinstance(schema, Mapping):
            return [], False
        self.steps += spot.weight
        if self.steps > MAX_STEPS or spot.depth > MAX_OPENED_DEPTH:
            raise Invalid("it grows too large when its references are opened")
        loops, recursive = self._follow(schema["$ref"], _inside(schema, spot)) if "$ref" in schema else ([], False)
        for step, child in _children(schema):
            deeper = _inside(schema, spot) if step is None else spot._replace(place=(*spot.place, step))
            found, inner = self._visit(child, deeper._replace(depth=spot.depth + 1))
            loops, recursive = loops + found, recursive or inner
        return loops, recursive

    def _follow(self, reference: Any, spot: _Spot) -> tuple[list[_Loop], bool]:
        target = self._resolve(reference)
        place = dict(spot.opened).get(id(target))
        if place is None:
            return self.enter(target, spot._replace(depth=spot.depth + 1))
        if place == len(spot.place):
            raise Invalid("a definition refers to itself without going into the data")
        if spot.weight > 1:
            raise Invalid("a recursive definition has unevaluatedProperties or unevaluatedItems")
        return [_Loop(id(target), spot.place[place:])], False

    def _resolve(self, reference: Any) -> Any:
        text = str(reference)
        if text.startswith("#") and not text.startswith("#/") and text != "#":
            if text[1:] in self._anchors:
                return self._anchors[text[1:]]
            raise Invalid("a reference leads nowhere")
        value = self._root
        for part in unquote(text[1:]).split("/")[1:]:
            value = _member(value, part.replace("~1", "/").replace("~0", "~"))
        return value


class _Survey:
    """What stands anywhere in a schema, reachable or not: anchors, the number of patterns, alternatives."""

    def __init__(self) -> None:
        self.anchors: dict[str, Any] = {}
        self.patterns = 0
        self.branching = False

    def look(self, value: Any, depth: int = 0) -> None:
        """Takes note of all within `value`; raises Invalid for what no schema may have."""
        if depth > MAX_DEPTH:
            raise Invalid(f"it is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, Mapping):
            self._note(value, is_root=depth == 0)
        for child in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
            self.look(child, depth + 1)

    def _note(self, schema: Mapping[str, Any], *, is_root: bool) -> None:
        texts = {keyword: value for keyword, value in schema.items() if isinstance(value, str)}
        if not texts.get("$ref", "#").startswith("#"):
            raise Invalid('a $ref must begin with "#": references outside the schema are not followed')
        if "$dynamicRef" in texts or ("$id" in texts and not is_root):
            raise Invalid("$dynamicRef and inner $id are not supported")
        if "$anchor" in texts:
            self.anchors[texts["$anchor"]] = schema
        self.patterns += ("pattern" in texts) + len(_by_name(schema, "patternProperties"))
        self.branching = self.branching or "anyOf" in schema or "oneOf" in schema


def _children(schema: Mapping[str, Any]) -> Iterator[tuple[_Step | None, Any]]:
    """The subschemas of `schema`, each with the step into the data that leads to what it judges."""
    for keyword in _HERE:
        value = schema.get(keyword)
        yield from ((None, child) for child in (value if isinstance(value, list) else [value]))
    for keyword in _HERE_BY_NAME:
        yield from ((None, child) for child in _by_name(schema, keyword).values())
    yield from ((_Step("member", name), child) for name, child in _by_name(schema, "properties").items())
    yield from ((_Step("member", None), child) for child in _by_name(schema, "patternProperties").values())
    yield from ((_Step("member", None), schema.get(keyword)) for keyword in _MEMBERS)
    yield _Step("name", None), schema.get("propertyNames")
    for keyword in ("prefixItems", "items"):
        entries = schema.get(keyword)
        if isinstance(entries, list):
            yield from ((_Step("entry", str(index)), child) for index, child in enumerate(entries))
    yield from ((_Step("entry", None), schema.get(keyword)) for keyword in _ENTRIES)


def _by_name(schema: Mapping[str, Any], keyword: str) -> Mapping[str, Any]:
    value = schema.get(keyword)
    return value if isinstance(value, Mapping) else {}


def _inside(schema: Mapping[str, Any], spot: _Spot) -> _Spot:
    """The spot for what `schema` applies to the same value; the unevaluated keywords make a validator do that twice."""
    return spot._replace(weight=spot.weight * 2) if any(keyword in schema for keyword in _UNEVALUATED) else spot


def _meet(one: tuple[_Step, ...], other: tuple[_Step, ...]) -> bool:
    """Whether both ways can lead to, or through, the same place of the data."""
    return all(
        a.kind == b.kind and (a.name == b.name or a.name is None or b.name is None)
        for a, b in zip(one, other, strict=False)
    )


def _member(value: Any, part: str) -> Any:
    if isinstance(value, Mapping) and part in value:
        return value[part]
    if isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
        return value[int(part)]
    raise Invalid("a reference leads nowhere")
