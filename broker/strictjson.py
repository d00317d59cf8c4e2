"""JSON in and out, strictly: exact integers, bounded depth and member count, nothing that JSON has not (RFC 8259).

orjson does the work and refuses NaN, infinities, lone surrogates, invalid UTF-8 and a byte order mark. It turns
integers beyond 64 bits into floats, so a text with that many digits in a row is decoded again by the standard library,
once orjson has found it valid. Integers of more than 308 digits are refused, as orjson reads them as an infinity.
"""

import json
from typing import Any

import orjson

from broker.errors import Invalid

_SHAPE = bytes.maketrans(b"0123456789 \t\r\n,[-", b"0000000000:::::::")
"""All digits are one, and so is all that a number may stand behind."""

_LONG = b"0" * 19


def parse_json(body: bytes, *, depth: int, keys: int) -> Any:
    """The value that `body` spells; raises Invalid, and nothing else, when it spells none.

    `depth` is how many arrays and objects may stand inside one another, `keys` how many members all objects may have
    together. A repeated member counts once; its last value wins.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid("Malformed JSON") from error
    if body.count(b"{") + body.count(b"[") > depth or body.count(b":") > keys:
        _check_bounds(value, depth, keys)
    return _parse_exactly(body) if _has_long_number(body) else value


def parse_stored(body: bytes) -> Any:
    """The value that `render_json` spelled: trusted, so without bounds, and as exact."""
    return _parse_exactly(body) if _has_long_number(body) else orjson.loads(body)


def render_json(value: Any) -> bytes:
    """`value` as compact UTF-8 on one line, integers exact; raises Invalid for what JSON cannot spell.

    What `parse_json` gives at a depth of up to 254 always can be spelled. Do not pass infinities or NaN: they become
    null.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return _render_exactly(value)


def _has_long_number(body: bytes) -> bool:
    """Whether a number may have so many digits; a string that looks like one is parsed slowly, and no worse.

    A regular expression takes 12 times the time (bench/results.md).
    """
    shape = body.translate(_SHAPE)
    return b":" + _LONG in shape or shape.startswith(_LONG)


def _parse_exactly(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("Malformed JSON") from error


def _render_exactly(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid("Not a JSON value") from error


def _check_bounds(value: Any, depth: int, keys: int) -> None:
    members = 0
    level = 0
    row = [value]
    while row:
        row = [child for child in row if isinstance(child, dict | list)]
        level += bool(row)
        members += sum(len(child) for child in row if isinstance(child, dict))
        if level > depth:
            raise Invalid(f"JSON is nested deeper than {depth} levels")
        if members > keys:
            raise Invalid(f"JSON has more than {keys} members")
        row = [inner for child in row for inner in (child.values() if isinstance(child, dict) else child)]
