"""Events and refusals as lines for a person's terminal. Pure.

What strangers publish must not move the cursor of a terminal or forge a line: characters that do not print are escaped.
"""

import json
from typing import Any


def printable(text: str) -> str:
    """The text with every character that does not print written as an escape."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def event_line(event: dict[str, Any]) -> str:
    """Time, id, type (`-` without one) and data of an event on one line."""
    data = printable(json.dumps(event.get("data"), ensure_ascii=False, separators=(",", ":")))
    kind = printable(str(event.get("type") or "-"))
    return f"{event.get('created_at')}  {event.get('id')}  {kind}  {data}"


def channel_line(channel: dict[str, Any]) -> str:
    """Id, visibility, number of events, time of the last one and name of a channel on one line."""
    visibility = "public" if channel.get("is_public") else "private"
    count, last = channel.get("event_count", 0), channel.get("last_event_at") or "-"
    return f"{channel.get('id'):<32}  {visibility:<7}  {count:>9}  {last:<24}  {printable(str(channel.get('name')))}"


def _escaped(letter: str) -> str:
    escape = json.dumps(letter)[1:-1]
    # JSON leaves DEL as it is.
    return escape if escape.isprintable() else f"\\u{ord(letter):04x}"
