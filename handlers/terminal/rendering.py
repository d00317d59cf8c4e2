"""Events and refusals as lines for a person's terminal. Pure.

What strangers publish must not move the cursor of a terminal or forge a line: characters that do not print are escaped.
"""

import json
from typing import Any

from handlers.terminal.colours import coloured


def printable(text: str) -> str:
    """The text with every character that does not print written as an escape."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def data_text(event: dict[str, Any]) -> str:
    """The data of an event as they are printed: JSON on one line."""
    return printable(json.dumps(event.get("data"), ensure_ascii=False, separators=(",", ":")))


def event_line(event: dict[str, Any], *, is_coloured: bool = False) -> str:
    """Time, id, type (`-` without one) and data of an event on one line."""
    names = ("created_at", "id", "type")
    time, event_id, kind = (printable(str(event.get(name) or "-")) for name in names)
    parts = (time, event_id, kind, data_text(event))
    return "  ".join(coloured(*parts) if is_coloured else parts)


def channel_line(channel: dict[str, Any]) -> str:
    """Id, visibility, number of events, time of the last one and name of a channel on one line."""
    visibility = "public" if channel.get("is_public") else "private"
    members = (
        channel.get("id"),
        channel.get("event_count", 0),
        channel.get("last_event_at") or "-",
        channel.get("name"),
    )
    channel_id, count, last, name = (printable(str(each)) for each in members)
    return f"{channel_id:<32}  {visibility:<7}  {count:>9}  {last:<24}  {name}"


def _escaped(letter: str) -> str:
    escape = json.dumps(letter)[1:-1]
    # JSON leaves DEL as it is.
    return escape if escape.isprintable() else f"\\u{ord(letter):04x}"
