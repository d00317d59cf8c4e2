"""Where a reader begins: after a cursor, after a time, or at the newest events. Pure."""

from broker.durations import parse_duration
from broker.errors import Invalid
from broker.ids import MAX_SEQ, Position, parse_time, parse_ulid, render_tag, render_time, render_ulid


def parse_cursor(text: str) -> str:
    """The cursor as it was given; raises `Invalid` when it is no ULID."""
    try:
        parse_ulid(text)
    except Invalid:
        raise Invalid(f"{text} is no cursor: that is the id of an event, 26 letters and digits") from None
    return text


def parse_since(text: str, now_ms: int) -> str:
    """A time in ISO 8601, of a time or of a span before now such as `10m`; raises `Invalid`."""
    try:
        return render_time(max(0, now_ms - 1000 * parse_duration(text)))
    except Invalid:
        pass
    try:
        return render_time(parse_time(text))
    except Invalid:
        raise Invalid(f"{text} is neither a time (2025-01-15T09:30:00Z) nor a span (10m, 2h, 1d)") from None


def cursor_before(event_id: str) -> str:
    """The cursor right before an event of the same channel; raises `Invalid` when `event_id` is no ULID."""
    ms, tag, seq = parse_ulid(event_id)
    return render_ulid(render_tag(tag), Position(ms, seq - 1) if seq else Position(ms - 1, MAX_SEQ))
