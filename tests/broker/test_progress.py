"""The state of an endpoint's deliveries, its breaker, and going on from elsewhere."""

from broker.channels import NewChannel, record_of
from broker.ids import Position, render_ulid
from broker.progress import (
    BREAKER_FAILURES,
    MAX_PARKED,
    MAX_PROBE_MS,
    PROBE_MS,
    Parked,
    Progress,
    before,
    failed,
    parse_progress,
    render_progress,
    replayed,
    resumed,
    show_progress,
    succeeded,
)

NOW = 1_800_000_000_000
AT, START = Position(NOW, 5), Position(NOW, 0)
WAITING = Progress(AT, {"a": Parked(Position(NOW, 1), 3, NOW + 900), "": Parked(Position(NOW, 2), 0, NOW)}, logged=7)


def failing(progress: Progress, times: int) -> Progress:
    for _ in range(times):
        progress = failed(progress, NOW, retry_after_ms=0, is_gone=False)
    return progress


def test_what_is_kept_is_read_back() -> None:
    for each in (Progress(AT), WAITING, failing(WAITING, BREAKER_FAILURES)):
        assert parse_progress(render_progress(each)) == each


def test_everything_up_to_the_first_parked_event_is_done() -> None:
    assert Progress(AT).done == AT
    assert WAITING.done == Position(NOW, 1)


def test_the_place_before_an_event_is_the_last_one_that_is_lower() -> None:
    assert before(Position(5, 3)) == Position(5, 2)
    assert Position(4, 10**6) < before(Position(5, 0)) < Position(5, 0)


def test_it_is_due_when_something_may_be_sent() -> None:
    assert Progress(AT).due_ms(NOW, has_more=False) is None
    assert Progress(AT).due_ms(NOW, has_more=True) == NOW
    assert WAITING.due_ms(NOW, has_more=False) == NOW
    late = Progress(AT, {"a": Parked(AT, 1, NOW + 900)})
    assert late.due_ms(NOW, has_more=False) == NOW + 900
    assert Progress(AT, hold_until_ms=NOW + 70).due_ms(NOW, has_more=True) == NOW + 70
    assert Progress(AT, paused="gone").due_ms(NOW, has_more=True) is None


def test_where_as_many_wait_as_may_more_of_the_log_is_no_reason_to_look() -> None:
    full = Progress(AT, {str(n): Parked(AT, 1, NOW + 900) for n in range(MAX_PARKED)})
    assert full.due_ms(NOW, has_more=True) == NOW + 900


def test_the_breaker_opens_after_so_many_failures_in_a_row_and_only_then() -> None:
    almost = failing(WAITING, BREAKER_FAILURES - 1)
    assert almost.paused is None and succeeded(almost, NOW).failures == 0
    opened = failing(almost, 1)
    assert (opened.paused, opened.hold_until_ms) == ("failing", NOW + PROBE_MS)
    assert {each.next_ms for each in opened.parked.values()} == {NOW + PROBE_MS}
    assert opened.cursor == AT


def test_probes_become_rarer_up_to_a_bound() -> None:
    progress, pauses = failing(Progress(AT), BREAKER_FAILURES - 1), []
    for _ in range(20):
        progress = failing(Progress(AT, failures=progress.failures, paused="failing", probes=progress.probes), 1)
        assert failing(progress, 3).hold_until_ms == progress.hold_until_ms, "failures of one round count once"
        pauses.append(progress.hold_until_ms - NOW)
    assert pauses[:3] == [PROBE_MS, 2 * PROBE_MS, 4 * PROBE_MS] and pauses[-1] == MAX_PROBE_MS


def test_the_first_success_closes_it_and_all_that_waits_is_tried() -> None:
    closed = succeeded(failing(WAITING, BREAKER_FAILURES + 3), NOW)
    assert (closed.paused, closed.failures, closed.hold_until_ms, closed.probes) == (None, 0, 0, 0)
    assert {each.next_ms for each in closed.parked.values()} == {NOW}
    assert closed == resumed(WAITING, NOW)


def test_a_receiver_that_is_gone_is_left_alone_until_somebody_says_so() -> None:
    gone = failed(WAITING, NOW, retry_after_ms=0, is_gone=True)
    assert gone.paused == "gone" and gone.due_ms(NOW, has_more=True) is None
    assert resumed(gone, NOW).due_ms(NOW, has_more=False) == NOW


def test_who_asks_for_time_gets_it() -> None:
    held = failed(Progress(AT), NOW, retry_after_ms=60_000, is_gone=False)
    assert held.paused is None and held.due_ms(NOW, has_more=True) == NOW + 60_000


def test_a_resume_changes_no_place_and_everything_else_does() -> None:
    assert WAITING.is_where(resumed(failing(WAITING, BREAKER_FAILURES), NOW))
    for other in (
        replayed(WAITING, WAITING.cursor),
        Progress(START, WAITING.parked, logged=7),
        Progress(AT, WAITING.parked, logged=8),
        Progress(AT, {**WAITING.parked, "a": Parked(Position(NOW, 2), 0, NOW)}, logged=7),
    ):
        assert not WAITING.is_where(other)


def test_a_replay_forgets_what_waited_and_keeps_counting() -> None:
    assert replayed(failing(WAITING, BREAKER_FAILURES), Position(1, 0)) == Progress(Position(1, 0), logged=7)


def test_its_owner_sees_up_to_where_everything_came() -> None:
    channel = record_of(NewChannel("news", "n"), tag=3, partition=0, created_ms=1)
    shown = show_progress(channel, WAITING, NOW)
    assert shown == {
        "status": "active",
        "cursor": render_ulid(channel.tag_letters, Position(NOW, 1)),
        "failures": 0,
        "waiting_subjects": 2,
        "resumes_at": None,
    }
    paused = show_progress(channel, failing(WAITING, BREAKER_FAILURES), NOW)
    assert (paused["status"], paused["resumes_at"]) == ("paused_failing", "2027-01-15T08:01:00.000Z")
