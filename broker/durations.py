"""Spans of time as people write them: `90s`, `5m`, `1h`, `7d` (contract channels.md section 5, `expires_in`)."""

import re
from typing import Any

from broker.errors import Invalid

MAX_DURATION_S = 36_500 * 86_400
"""A hundred years: a longer life is surely a slip, and would leave the range of a date."""

_SECONDS_A_UNIT = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,12})([smhd])")


def parse_duration(text: Any) -> int:
    """The whole seconds that `text` spells, from 1 to `MAX_DURATION_S`; anything else raises Invalid.

    Numbers and booleans are refused like any text of another form: `expires_in: 60` names no unit.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Invalid('Invalid duration. Use text of the form <number><s|m|h|d>, such as "5m", "1h" or "7d"')
    seconds = int(match[1]) * _SECONDS_A_UNIT[match[2]]
    if not 1 <= seconds <= MAX_DURATION_S:
        raise Invalid("Invalid duration. It must be at least one second and at most 36500d")
    return seconds
