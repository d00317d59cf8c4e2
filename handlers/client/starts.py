"""Where a reader begins: after a cursor, after a time, or at the newest events. Pure.

A time is turned into a cursor of no channel in particular, which every door reads as a position of the clock
(contract section 16, `broker.cursors`): so a reader who asks for a time holds a cursor from its first moment on.
"""

from broker.durations import parse_duration
from broker.errors import Invalid
from broker.ids import MAX_MS, MAX_SEQ, Position, parse_time, parse_ulid, render_tag, render_ulid

NO_TAG = render_tag(0)


def cursor_of_text(text: str) -> str:
    """The cursor as it was given; raises `Invalid` when it is no ULID."""
    try:
        parse_ulid(text)
    except Invalid:
        raise Invalid(f"{text} is no cursor: that is the id of an event, 26 letters and digits") from None
    return text


def cursor_since(text: str, now_ms: int) -> str:
    """The cursor before every event created after a time: ISO 8601, or a span before now such as `10m`.

    Raises `Invalid`.
    """
    try:
        since_ms = max(0, now_ms - 1000 * parse_duration(text))
    except Invalid:
        since_ms = _time(text)
    return render_ulid(NO_TAG, Position(min(since_ms + 1, MAX_MS), 0))


def cursor_before(event_id: str) -> str:
    """The cursor right before an event of the same channel; raises `Invalid` when `event_id` is no ULID."""
    ms, tag, seq = parse_ulid(event_id)
    return render_ulid(render_tag(tag), Position(ms, seq - 1) if seq else Position(ms - 1, MAX_SEQ))


def _time(text: str) -> int:
    try:
        return parse_time(text)
    except Invalid:
        raise Invalid(f"{text} is neither a time (2025-01-15T09:30:00Z) nor a span (10m, 2h, 1d)") from None
