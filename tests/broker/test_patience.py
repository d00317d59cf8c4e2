"""How long a receiver that fails is borne with: pauses and probes, or an end."""

import pytest

from broker.ids import Position
from broker.patience import MAX_SENDS, Failure, Patience
from broker.progress import BREAKER_FAILURES, Parked, Progress, resumed, rewound, succeeded

NOW, DAY_MS = 1_800_000_000_000, 86_400_000
AT = Position(NOW, 5)
ENDING = Patience((60.0,), DAY_MS, most_pending=10)


def failure(*, is_last: bool = False, is_gone: bool = False, retry_after_ms: int = 0, at_ms: int = NOW) -> Failure:
    return Failure(at_ms, retry_after_ms, is_gone, is_last)


def test_without_an_end_many_failures_pause_and_one_that_is_gone_too() -> None:
    progress = Progress(AT)
    for _ in range(BREAKER_FAILURES):
        progress = Patience().failed(progress, failure(), NOW)
    assert progress.paused == "failing" and Patience().most(progress, NOW) == 1
    assert Patience().failed(Progress(AT), failure(is_gone=True), NOW).paused == "gone"
    assert Patience().most(Progress(AT), NOW) == MAX_SENDS and Patience().room(Progress(AT)) is None


def test_with_an_end_only_events_given_up_count_and_so_many_in_a_row_are_it() -> None:
    progress = Progress(AT)
    for _ in range(BREAKER_FAILURES - 1):
        progress = ENDING.failed(progress, failure(), NOW)
        progress = ENDING.failed(progress, failure(is_last=True, is_gone=True), NOW)
    assert (progress.paused, progress.failures, progress.first_failure_ms) == (None, BREAKER_FAILURES - 1, NOW)
    again = succeeded(progress, NOW)
    assert (again.failures, again.first_failure_ms) == (0, 0)
    ended = ENDING.failed(progress, failure(is_last=True), NOW)
    assert ended.paused == "off" and ended.due_ms(NOW, has_more=True) is None


def test_with_an_end_so_long_without_a_success_is_it() -> None:
    progress = ENDING.failed(Progress(AT), failure(), NOW)
    assert ENDING.failed(progress, failure(at_ms=NOW + DAY_MS), NOW + DAY_MS - 1).paused is None
    assert ENDING.failed(progress, failure(), NOW + DAY_MS).paused == "off"


@pytest.mark.parametrize(("failures", "most"), [(0, 16), (4, 16), (5, 15), (19, 1), (20, 1)])
def test_a_round_sends_never_more_than_those_after_which_it_may_be_over(failures: int, most: int) -> None:
    assert ENDING.most(Progress(AT, failures=failures), NOW) == most


def test_where_a_failure_would_be_the_end_one_is_sent() -> None:
    assert ENDING.most(Progress(AT, first_failure_ms=NOW), NOW + DAY_MS - 1) == MAX_SENDS
    assert ENDING.most(Progress(AT, first_failure_ms=NOW), NOW + DAY_MS) == 1


def test_so_many_may_wait_and_no_more_are_read() -> None:
    parked = {"a": Parked(AT, 1, NOW)}
    assert [ENDING.room(Progress(AT, parked, pending=each)) for each in (0, 9, 10, 11)] == [10, 1, 0, 0]


def test_what_waits_after_a_replay_is_read_again_however_much_it_is() -> None:
    assert ENDING.room(rewound(Progress(AT, {"a": Parked(AT, 1, NOW)}, pending=10), AT)) == 10


def test_who_asks_for_time_gets_it_there_too() -> None:
    assert ENDING.failed(Progress(AT), failure(retry_after_ms=70), NOW).hold_until_ms == NOW + 70


def test_a_rewound_progress_forgets_no_count_and_skips_nothing_that_waits() -> None:
    progress = ENDING.failed(Progress(AT, pending=3, delivered=4, given_up=5, logged=6, activation=7), failure(), NOW)
    back = rewound(progress, Position(NOW, 2))
    assert (back.cursor, back.parked, back.first_failure_ms) == (Position(NOW, 2), {}, NOW)
    assert (back.pending, back.delivered, back.given_up, back.logged, back.activation) == (3, 4, 5, 6, 7)
    assert rewound(progress, Position(NOW, 9)).cursor == AT and resumed(back, NOW).cursor == back.cursor
