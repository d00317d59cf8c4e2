"""A subscription by itself: what is known of its feed, when it is polled next, and how it is kept."""

from dataclasses import replace

from broker.channels import DAY_MS
from handlers.calendar.imports.subscription import (
    IcalSubscription,
    Seen,
    next_poll_ms,
    parse_kept,
    render_kept,
    render_subscription,
    render_told,
    seen_before,
    touched,
)

SEEN = Seen('"1"', None, "d", 1_000, "UTC", 2)
ONE = IcalSubscription("ics_1", "agt_1", "cal_1", "https://x.example/secret", 5, 5, seen=SEEN)


def test_what_is_kept_is_what_was_there() -> None:
    for each in (ONE, replace(ONE, seen=None, label="x", status="error", last_synced_ms=3, last_error="e", run=4)):
        assert parse_kept(render_kept(each)) == each


def test_a_feed_is_known_for_a_day_and_for_its_zone() -> None:
    assert seen_before(ONE, "UTC", 1_000 + DAY_MS - 1) == SEEN
    assert seen_before(ONE, "UTC", 1_000 + DAY_MS) is None
    assert seen_before(ONE, "Europe/Berlin", 1_000) is None
    assert seen_before(replace(ONE, seen=None), "UTC", 1_000) is None


def test_failures_make_polls_rarer_and_never_end_them() -> None:
    waits = [next_poll_ms(replace(ONE, failures=count), 0, 900_000, 1.0) // 900_000 for count in (0, 1, 2, 3, 4, 5, 99)]
    assert waits == [1, 2, 4, 8, 16, 16, 16]
    assert next_poll_ms(ONE, 10, 1_000, 0.9) == 910


def test_the_url_is_shown_to_its_owner_and_not_told() -> None:
    assert render_subscription(ONE)["url"] == ONE.url
    assert "secret" not in str(render_told(ONE))


def test_each_change_is_later_and_counts() -> None:
    after = touched(ONE, 1)
    assert (after.updated_ms, after.version) == (6, 2)
    assert replace(ONE, runs_until_ms=10).is_running(9) and not replace(ONE, runs_until_ms=10).is_running(10)
