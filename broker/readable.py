"""An event's data as text for people: YAML or indented JSON (contract channels.md section 12). Pure.

What is large or deeply nested is written as compact JSON in both: indenting it would cost a multiple of its size, and
writing YAML much time, while nobody reads that much. It is YAML 1.2 all the same, as every JSON text is.
"""

import json
from typing import Any, Literal

from broker.errors import Invalid
from broker.strictjson import render_json
from broker.yamltext import escape_unprintable, render_yaml

Format = Literal["yaml", "json"]

MAX_BYTES = 8_192
"""How long the compact JSON may be for the text to be indented."""

MAX_LEVELS = 10
"""How many arrays and objects may stand inside one another for the text to be indented."""


def parse_format(text: str | None) -> Format:
    """`yaml` or `json`, the default is YAML; raises `Invalid`."""
    match text:
        case None | "yaml":
            return "yaml"
        case "json":
            return "json"
        case _:
            raise Invalid("format must be yaml or json")


def render_readable(value: Any, form: Format) -> str:
    """`value`, as `parse_json` gives it, as text in which everything is printable; reading it gives `value` again."""
    compact = render_json(value)
    if len(compact) > MAX_BYTES or _levels(value) > MAX_LEVELS:
        return escape_unprintable(compact.decode())
    if form == "yaml":
        return render_yaml(value)
    return escape_unprintable(json.dumps(value, indent=2, ensure_ascii=False))


def _levels(value: Any) -> int:
    levels = 0
    row = [value] if isinstance(value, dict | list) else []
    while row:
        levels += 1
        children = (inner for each in row for inner in (each.values() if isinstance(each, dict) else each))
        row = [inner for inner in children if isinstance(inner, dict | list)]
    return levels
