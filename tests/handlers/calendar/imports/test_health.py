"""How far availability can be trusted."""

from dataclasses import replace

import pytest

from handlers.calendar.imports.health import health_of, render_health
from handlers.calendar.imports.subscription import IcalSubscription

GOOD = IcalSubscription("ics_1", "a", "c", "u", 0, 0, last_synced_ms=900)
LATE = replace(GOOD, last_synced_ms=100)
NEVER = replace(GOOD, last_synced_ms=None)
PAUSED = replace(GOOD, status="paused")
FAILED = replace(GOOD, status="error", last_error="gone")
LACKS = replace(GOOD, last_error="1 of its events cannot be read")


@pytest.mark.parametrize(
    ("subscriptions", "external", "state"),
    [
        ([], "current", "complete"),
        ([GOOD, GOOD], "current", "complete"),
        ([GOOD, LATE], "stale", "stale"),
        ([PAUSED], "stale", "stale"),
        ([FAILED, GOOD], "stale", "stale"),
        ([NEVER], "unavailable", "partial"),
        ([NEVER, GOOD], "partial", "partial"),
        ([LACKS], "partial", "partial"),
        ([LACKS, LATE], "partial", "partial"),
    ],
)
def test_what_all_of_them_are(subscriptions: list[IcalSubscription], external: str, state: str) -> None:
    shown = render_health(health_of(subscriptions, 1_000, 500))
    assert (shown["sources"]["external"], shown["availability_state"]) == (external, state)
    assert len(shown["warnings"]) == sum(each not in (GOOD,) for each in subscriptions)
    assert all(each["code"] == "availability_incomplete" and "ics_1" in each["message"] for each in shown["warnings"])


def test_the_oldest_of_them_says_when_they_were_synced() -> None:
    assert health_of([GOOD, LATE, NEVER], 1_000, 500).last_synced_ms == 100
    assert health_of([NEVER], 1_000, 500).last_synced_ms is None
