"""Times as callers write them (contract section 14, case 36)."""

import pytest

from broker.ids import parse_time, render_time
from handlers.calendar.times import check_instant, parse_instant


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-04-07T14:00:00Z", "2026-04-07T14:00:00.000Z"),
        ("2026-04-07t14:00:00z", "2026-04-07T14:00:00.000Z"),
        ("2026-04-07T09:00:00-05:00", "2026-04-07T14:00:00.000Z"),
        ("2026-04-07T09:00-04:00", "2026-04-07T13:00:00.000Z"),
        ("2026-04-07T14:00:00+00:00", "2026-04-07T14:00:00.000Z"),
        ("2026-04-07T14:00:00.1234567Z", "2026-04-07T14:00:00.123Z"),
        ("2026-04-07T14:00:00.5Z", "2026-04-07T14:00:00.500Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_these_are_times(text: str, shown: str) -> None:
    assert render_time(parse_instant(text)) == shown and check_instant(text) == text
    assert parse_instant(text) == parse_time(text.upper())


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-04-07", "2026-04-07T14:00:00", "2026-04-07T24:00:00Z", "2026-06-30T23:59:60Z"),
        *("2026-02-29T00:00:00Z", "1969-12-31T23:59:59Z", "2026-04-07T14:00:00+24:00", "9999-12-31T23:59:59-01:00"),
        *("2026-04-07 14:00:00Z", "\u0662026-04-07T14:00:00Z", "2026-04-07T14:00:00Z\n", "20260407T140000Z"),
    ],
)
def test_these_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is no time"):
        parse_instant(text)
