"""JSON values as YAML in block style, for people to read. Pure.

Every JSON text is a flow text of YAML 1.2 already, but nobody likes to read braces, and the widespread YAML 1.1 readers
take its `1e300` for a string. This writes the part of YAML that both versions read alike: words without quotes where no
version takes them for something else, other strings as JSON spells them (YAML knows its escapes), literal blocks for
text of several lines, floats with a point and a signed exponent.
"""

import re
from typing import Any

from broker.strictjson import render_json

MAX_KEY_CHARS = 1_000
"""Longer keys are written with `?`, as YAML looks for a key's colon within 1,024 characters only."""

_STEP = "  "
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_UNPRINTABLE = "\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
_INK = rf"[^\x00-\x20:{_UNPRINTABLE}]"
_PLAIN = re.compile(rf"[^\W\d_](?:{_INK}|:(?={_INK})| (?={_INK})(?!#))*")
_LINE = rf"[^\x00-\x08\x0a-\x1f{_UNPRINTABLE}]*[^\x00-\x20{_UNPRINTABLE}]"
_LITERAL = re.compile(rf"(?! |\t){_LINE}(?:\n+{_LINE})+")
_TO_ESCAPE = re.compile(f"[{_UNPRINTABLE}]")


def render_yaml(value: Any) -> str:
    """`value`, as `parse_json` gives it, as a YAML document without an end of line; to read it gives `value` again.

    Its depth costs recursion, and indentation of two spaces a level on every line: bound it before.
    """
    lines: list[str] = []
    _write(lines, "", value, "")
    return "\n".join(lines)


def escape_unprintable(text: str) -> str:
    r"""`text`, which is JSON or in YAML quotes, with what YAML counts as unprintable as `\uXXXX`: the same value."""
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _write(lines: list[str], head: str, value: Any, pad: str) -> None:
    """Add the lines of `value`: the first after `head`, which is the line so far, the others behind `pad`."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            opening = head + _key(key, pad)
            if isinstance(inner, dict | list) and inner:
                lines.append(opening)
                _write(lines, pad + _STEP, inner, pad + _STEP)
            else:
                _write(lines, f"{opening} ", inner, pad + _STEP)
            head = pad
    elif isinstance(value, list) and value:
        for inner in value:
            _write(lines, f"{head}- ", inner, pad + _STEP)
            head = pad
    elif isinstance(value, str) and "\n" in value and _LITERAL.fullmatch(value):
        lines.append(f"{head}|-")
        lines += [f"{pad or _STEP}{line}" if line else "" for line in value.split("\n")]
    else:
        lines.append(head + _scalar(value))


def _key(key: str, pad: str) -> str:
    text = _string(key)
    return f"{text}:" if len(text) <= MAX_KEY_CHARS else f"? {text}\n{pad}:"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float):
        return _float(value)
    return render_json(value).decode()


def _string(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return escape_unprintable(render_json(text).decode())


def _float(number: float) -> str:
    mantissa, e, exponent = repr(number).partition("e")
    point = "" if "." in mantissa else ".0"
    return f"{mantissa}{point}{e}{exponent}"
