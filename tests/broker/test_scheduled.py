"""Scheduled publishes as documents, and the times that are taken."""

import pytest

from broker.change import Put
from broker.channels import DAY_MS
from broker.errors import Invalid
from broker.scheduled import (
    MOST_AHEAD_MS,
    MOST_BEHIND_MS,
    Scheduled,
    check_time,
    ended,
    fresh_id,
    parse_stored,
    render_scheduled,
    render_stored,
    scheduling,
    timer_of,
)
from broker.scopes import Grant

GRANT = Grant(("pub:news",), "ann", None, ("g",), 1, None, "kid", "kid ann", "x", None)
SCHEDULED = Scheduled("sp_1", "news", "TAG", 5_000, 1_000, '{"data":1}', 1, GRANT)
NOW_MS = 10 * MOST_AHEAD_MS


def test_it_reads_back_with_its_grant() -> None:
    assert parse_stored(render_stored(SCHEDULED)) == SCHEDULED


def test_it_waits_with_a_timer_at_its_time_and_an_end_of_its_life() -> None:
    change = scheduling(SCHEDULED)
    [put] = change.documents
    assert isinstance(put, Put)
    assert change.timers == (timer_of(SCHEDULED),) and timer_of(SCHEDULED).due_ms == 5_000
    assert put.expected == 0 and put.key.id == "TAG/sp_1" and put.expires_ms == 5_000 + 30 * DAY_MS
    assert put.entries[0].score == 5_000 and put.entries[0].member == put.key.id


def test_what_is_over_shows_how_and_no_longer_holds_the_body() -> None:
    for error, status in ((None, "published"), ("no", "failed")):
        put = ended(SCHEDULED, 7, 9_000, error)
        after = parse_stored(put.body)
        assert (after.status, after.error, after.body, put.entries, put.expected) == (status, error, "", (), 7)
        assert render_scheduled(after)["status"] == status and ("error" in render_scheduled(after)) is (
            error is not None
        )


def test_times_that_are_taken() -> None:
    for offset_ms in (-MOST_BEHIND_MS, 0, MOST_AHEAD_MS):
        check_time(NOW_MS + offset_ms, NOW_MS)
    for offset_ms in (-MOST_BEHIND_MS - 1, MOST_AHEAD_MS + 1):
        with pytest.raises(Invalid):
            check_time(NOW_MS + offset_ms, NOW_MS)


def test_ids_differ_by_their_random_bits() -> None:
    assert fresh_id(5, 1) != fresh_id(5, 2) and fresh_id(5, (1 << 80) - 1).startswith("sp_0")
