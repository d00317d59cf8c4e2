"""JSON lines: from a pipe as they come, each checked before anything is sent."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson

from broker.errors import Invalid

CHUNK_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 20


class Line(NamedTuple):
    """A line that is not blank, and its number, from 1."""

    number: int
    text: bytes


def lines_at_hand(fd: int) -> Iterator[list[Line]]:
    """The lines of a pipe or file: each time all that are there, so that a slow writer's line need not wait for more.

    Raises `Invalid` for a line without end.
    """
    number, rest = 0, b""
    while chunk := os.read(fd, CHUNK_BYTES):
        *texts, rest = (rest + chunk).split(b"\n")
        yield _numbered(number, texts)
        number += len(texts)
        if len(rest) > MAX_LINE_BYTES:
            raise Invalid(f"line {number + 1} is longer than {MAX_LINE_BYTES} bytes")
    yield _numbered(number, [rest])


def check_json(text: bytes) -> bytes:
    """The text without the blanks around it, when it is strict JSON in UTF-8; raises `Invalid`."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"no JSON ({error}); text is JSON in quotes: '\"hello\"'") from None
    return text.strip()


def good_beginning(lines: Sequence[Line]) -> tuple[list[bytes], Invalid | None]:
    """The JSON of the lines up to the first that is none, and what is wrong with that one."""
    good = []
    for line in lines:
        try:
            good.append(check_json(line.text))
        except Invalid as error:
            return good, Invalid(f"line {line.number} is {error.message}")
    return good, None


def _numbered(before: int, texts: list[bytes]) -> list[Line]:
    return [Line(number, text) for number, text in enumerate(texts, before + 1) if text.strip()]
