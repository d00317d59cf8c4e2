"""The settings: their defaults and bounds from `broker.config`, what they mean from the comments of `config.toml`."""

import re
from pathlib import Path
from typing import Any

from broker.config import Section, Settings
from handlers.model_schemas import schema_of
from reference.markdown import code, render_table
from reference.schemas import render_bounds

CONFIG = Path(__file__).parents[1] / "config.toml"
_LINE = re.compile(r"([a-z_]+) = ([^#]*?)\s*# (.*)")
UNITS = {
    "_per_s": "a second",
    "_per_min": "a minute",
    "_s": "s",
    "_ms": "ms",
    "_days": "days",
    "_bytes": "bytes",
    "_chars": "characters",
    "_kbps": "kbit/s",
}
"""By the ends of names, the longer ones first."""


def comments(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """By section and key: the default as it is written, and what the comment behind it says."""
    found, section = {}, ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif match := _LINE.fullmatch(line):
            found[section, match[1]] = match[2], match[3]
    return found


def unit_of(key: str) -> str:
    """The unit that a key's name ends with; a number of what the name says where it has none."""
    return next((unit for end, unit in UNITS.items() if key.endswith(end)), "")


def render_section(name: str) -> str:
    """The table of one section. Raises `KeyError` for a key without a comment."""
    said = comments(CONFIG.read_text())
    section: type[Section] = type(getattr(Settings(), name))
    rows = []
    for key, schema in schema_of(section)["properties"].items():
        default, meaning = said[name, key]
        rows.append([code(key), code(default), _range(schema), unit_of(key), _linked(meaning)])
    return render_table(["Key", "Default", "Range", "Unit", "Meaning"], rows)


def render_others(apart: tuple[str, ...]) -> str:
    """The sections but these, each under its name and with what its class says of it."""
    parts = []
    for name, field in Settings.model_fields.items():
        if name not in apart:
            says = (type(field.default).__doc__ or "").split(": ", 1)[1]
            parts.append(f"## `[{name}]`\n\n{says[0].upper()}{says[1:]}\n\n{render_section(name)}")
    return "\n\n".join(parts)


def _range(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(code(str(value)) for value in schema["enum"])
    return render_bounds(schema)


def _linked(meaning: str) -> str:
    return re.sub(r"docs/([\w-]+\.md)", r"[\1](../\1)", meaning)
