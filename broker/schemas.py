"""Strict types: the JSON Schemas of a channel, applied whole (contract channels.md section 7 and section 14, row 17).

`config.types` is `{type: {schema: JSON Schema}}`; an entry without `schema` is read as the properties of one. Draft 7
and 2020-12, the latter unless `$schema` says draft 7. Only `config.strict_types === true` turns checking on.

A schema is a program that strangers' events run, so it is bounded: in size and depth, in the work that its references
can ask for (`schemacost`), in patterns (a linear-time engine without look-around, each compiled one capped), and it
reaches for nothing outside itself.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from jsonschema_rs import (
    Draft7Validator,
    Draft202012Validator,
    ReferencingError,
    RegexOptions,
    ValidationError,
)

from broker.errors import Invalid
from broker.schemacost import Cost, check_cost
from broker.strictjson import render_json

MAX_SCHEMA_BYTES = 16_384
"""How long all schemas of a channel may be together, as compact JSON (reliability.md section E)."""

MAX_DETAILS = 10
"""How many mismatches of one event are told."""

_MAX_DETAIL_CHARS = 300
_TELLING_BUDGET = 100_000
"""Bytes of an event times steps of its schema up to which all mismatches are told."""

_MAX_LISTED_TYPES = 50
_MAX_TYPES = 200
_PATTERNS = RegexOptions(size_limit=1 << 18, dfa_size_limit=1 << 18)
_DRAFTS: Mapping[str, type[Draft7Validator | Draft202012Validator]] = {
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft-07/schema": Draft7Validator,
}
_DEFAULT_DRAFT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class _Type:
    """One event type: its validator, and what telling a mismatch would cost."""

    validator: Draft7Validator | Draft202012Validator
    cost: Cost

    def mismatches(self, data: Any) -> list[dict[str, str]]:
        """What is wrong with `data`, as `{path, message}`: up to `MAX_DETAILS`, of a costly event the first only.

        Judging is quick, but the library gathers all mismatches before it tells one, and those of all alternatives
        with them; so a large event that fails among alternatives is told as a whole.
        """
        if len(render_json(data)) * self.cost.steps <= _TELLING_BUDGET:
            errors = list(itertools.islice(self.validator.iter_errors(data), MAX_DETAILS))
        elif self.cost.branching:
            return [{"path": "data", "message": "does not match the schema of its type"}]
        else:
            errors = list(self._first(data))
        details = [{"path": _path(error.instance_path), "message": _told(error)} for error in errors]
        return sorted(details, key=itemgetter("path"))

    def _first(self, data: Any) -> Iterator[ValidationError]:
        try:
            self.validator.validate(data)
        except ValidationError as error:
            yield error


@dataclass(frozen=True, slots=True)
class CompiledTypes:
    """The types of one strict channel, ready to check events. Safe to share, worth keeping: compiling is slow."""

    types: Mapping[str, "_Type"]

    def check(self, event_type: str | None, data: Any) -> None:
        """Raises Invalid, with `details` of `{path, message}` for a mismatch, unless `data` is a good `event_type`."""
        if not event_type:
            raise Invalid("Event must have a type when publishing to a strict channel")
        known = self.types.get(event_type)
        if known is None:
            allowed = ", ".join(itertools.islice(self.types, _MAX_LISTED_TYPES))
            raise Invalid(f'Unknown event type "{event_type}". Allowed types: {allowed}')
        if not known.validator.is_valid(data):
            details = known.mismatches(data)
            told = "; ".join(f"{detail['path']}: {detail['message']}" for detail in details)
            raise Invalid(f'Validation failed for type "{event_type}": {told}', details=details)


def parse_types_config(config: Any, max_schema_bytes: int = MAX_SCHEMA_BYTES) -> None:
    """Raises Invalid unless the strict types of a channel's `config` (None when it has none) could be enforced.

    The types of a channel that is not strict are documentation, and not looked at.
    """
    if config is None:
        return
    if not isinstance(config, Mapping):
        raise Invalid("config must be an object")
    strict = config.get("strict_types", False)
    if not isinstance(strict, bool):
        raise Invalid("config.strict_types must be a boolean")
    if strict:
        compile_types(config, max_schema_bytes)


def compile_types(config: Mapping[str, Any], max_schema_bytes: int = MAX_SCHEMA_BYTES) -> CompiledTypes:
    """The types of a strict channel's `config`; raises Invalid when there are none, or one cannot be enforced."""
    types = config.get("types")
    if types is None or types == {}:
        raise Invalid("strict_types requires types in config")
    if not isinstance(types, Mapping):
        raise Invalid("config.types must be an object of event types")
    if len(types) > _MAX_TYPES:
        raise Invalid(f"config.types must have at most {_MAX_TYPES} types")
    if len(render_json(types)) > max_schema_bytes:
        raise Invalid(f"config.types must be at most {max_schema_bytes} bytes of JSON")
    return CompiledTypes({name: _compile(name, entry) for name, entry in types.items()})


def _compile(name: str, entry: Any) -> _Type:
    schema = _schema_of(name, entry)
    draft = _DRAFTS.get(str(_declared_draft(schema)).rstrip("#"))
    if draft is None:
        raise Invalid(f'The schema of type "{name}" must be of draft 7 or 2020-12')
    try:
        cost = check_cost(schema)
        return _Type(draft(schema, validate_formats=False, offline=True, pattern_options=_PATTERNS), cost)
    except Invalid as error:
        raise Invalid(f'The schema of type "{name}" is not accepted: {error.message}') from error
    except ValidationError as error:
        raise Invalid(f'The schema of type "{name}" is not valid: {_told(error)}') from error
    except (ValueError, ReferencingError) as error:
        raise Invalid(f'The schema of type "{name}" is not valid: {str(error)[:_MAX_DETAIL_CHARS]}') from error


def _schema_of(name: str, entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        raise Invalid(f'config.types["{name}"] must be an object')
    schema = entry.get("schema")
    if schema is None:
        return {"type": "object", "properties": entry}
    if not isinstance(schema, Mapping | bool):
        raise Invalid(f'The schema of type "{name}" must be an object or a boolean')
    return schema


def _declared_draft(schema: Any) -> Any:
    return schema.get("$schema", _DEFAULT_DRAFT) if isinstance(schema, Mapping) else _DEFAULT_DRAFT


def _path(steps: list[str | int]) -> str:
    return ".".join(["data", *map(str, steps)])[:_MAX_DETAIL_CHARS]


def _told(error: ValidationError) -> str:
    message = error.message
    return message if len(message) <= _MAX_DETAIL_CHARS else f"{message[: _MAX_DETAIL_CHARS - 3]}..."
