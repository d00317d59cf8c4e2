"""Where a reader begins when a person says it by a time. Pure."""

from broker.durations import parse_duration
from broker.errors import Invalid
from broker.ids import parse_time, render_time


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
