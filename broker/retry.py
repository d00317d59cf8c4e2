"""When a call that failed is tried again: a schedule, jitter, and what the receiver asked for. Pure.

The schedule is that of Standard Webhooks' reference sender: eight attempts over about 28 hours.
"""

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

SCHEDULE_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""How long after each attempt the next one follows; one attempt more than there are pauses."""

JITTER = 0.2
"""By how much of itself a pause may be shorter or longer, so that what failed together does not come back together."""

MAX_RETRY_AFTER_S = 3_600
"""How long a receiver may have us wait."""


def pause_ms(attempts: int, chance: float, schedule_s: Sequence[float] = SCHEDULE_S) -> int | None:
    """How long to wait after `attempts` failed attempts, None when that was the last one.

    `chance` is a random number of at least 0 and below 1.
    """
    if attempts > len(schedule_s):
        return None
    return round(schedule_s[attempts - 1] * 1000 * (1 + JITTER * (2 * chance - 1)))


def parse_retry_after(text: str | None, now_ms: int) -> int:
    """How many ms a `Retry-After` (RFC 9110 10.2.3: seconds or a date) asks to wait; 0 where it asks for nothing."""
    if text is None:
        return 0
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), MAX_RETRY_AFTER_S) * 1000
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, min(int(moment.timestamp() * 1000) - now_ms, MAX_RETRY_AFTER_S * 1000))
