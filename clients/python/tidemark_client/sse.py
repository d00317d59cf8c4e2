"""Server-Sent Events from bytes as they come, cut anywhere (WHATWG HTML, section 9.2.6). Pure."""

import re
from typing import NamedTuple

MAX_EVENT_BYTES = 4 << 20

CR = b"\r"
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Told(NamedTuple):
    """One event of a stream; `id` is empty where it has none."""

    kind: str
    id: str
    data: str


class TooLong(Exception):
    """An event without end."""


class StreamParser:
    """Takes the bytes of a stream; each call gives the events that are whole by then."""

    def __init__(self) -> None:
        self._held = b""
        self._parts: list[bytes] = []
        self._fields: dict[str, list[str]] = {}
        self._size = 0

    def feed(self, chunk: bytes) -> list[Told]:
        """The events that these bytes complete; raises `TooLong`."""
        text = self._held + chunk
        # A CR at the end may be half of a CRLF: it waits for the next bytes.
        self._held = CR if text.endswith(CR) else b""
        *lines, rest = _LINE_END.split(text.removesuffix(CR))
        if lines:
            lines[0] = b"".join((*self._parts, lines[0]))
            self._parts = []
        self._parts.append(rest)
        told = [each for line in lines if (each := self._line(line.decode(errors="replace"))) is not None]
        if sum(map(len, self._parts)) + self._size > MAX_EVENT_BYTES:
            raise TooLong
        return told

    def _line(self, line: str) -> Told | None:
        if line:
            self._size += len(line)
            name, _, value = line.partition(":")
            if name:
                self._fields.setdefault(name, []).append(value.removeprefix(" "))
            return None
        fields, self._fields, self._size = self._fields, {}, 0
        if not fields.keys() & {"id", "data"}:
            return None
        kind, last_id = fields.get("event", [""])[-1], fields.get("id", [""])[-1]
        return Told(kind, last_id, "\n".join(fields.get("data", [])))
