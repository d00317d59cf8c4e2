"""Where a reader begins, from what a person types."""

import pytest

from broker.errors import Invalid
from handlers.terminal.starts import parse_since

NOW_MS = 1_736_933_400_500


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-01-15T09:30:00Z", "2025-01-15T09:30:00.000Z"),
        ("2025-01-15T10:30:00+01:00", "2025-01-15T09:30:00.000Z"),
        ("2025-01-15", "2025-01-15T00:00:00.000Z"),
        ("90s", "2025-01-15T09:28:30.500Z"),
        ("1d", "2025-01-14T09:30:00.500Z"),
        ("36500d", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_or_a_span_before_now(text: str, time: str) -> None:
    assert parse_since(text, NOW_MS) == time


@pytest.mark.parametrize("text", ["", "yesterday", "10", "-1h", "0s", "1900-01-01", "2025-13-01"])
def test_no_other_text_is_a_time(text: str) -> None:
    with pytest.raises(Invalid, match="neither a time"):
        parse_since(text, NOW_MS)
