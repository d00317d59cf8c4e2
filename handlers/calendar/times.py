"""Times as callers write them (contract section 3.7). Pure."""

import re
from datetime import UTC, datetime, timedelta

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,20}))?)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_EPOCH = datetime.fromtimestamp(0, UTC)
_END_MS = 253_402_300_800_000


def parse_instant(text: str) -> int:
    """The Unix time in ms of an ISO 8601 time with its offset, rounded down; seconds may be left out.

    Raises `ValueError` for a time without an offset, a date alone, 24:00, a leap second, and years before 1970.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("must be a time such as 2026-04-07T14:00:00Z, with Z or an offset")
    date, hours, minutes, seconds, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{hours}:{minutes}:{seconds or '00'}{offset.upper()}")
        at_ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise ValueError("is no time that there is") from None
    at_ms += int((fraction or "0").ljust(3, "0")[:3])
    if not 0 <= at_ms < _END_MS:
        raise ValueError("is no time between 1970 and 9999")
    return at_ms


def check_instant(text: str) -> str:
    """The same text; raises `ValueError` where it is no time."""
    parse_instant(text)
    return text
