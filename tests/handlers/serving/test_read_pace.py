"""When a client is late."""

from handlers.serving.limits import ServingLimits
from handlers.serving.read_pace import Phase, ReadPace

LIMITS = ServingLimits(head_s=10, keep_alive_s=5, body_s=20, body_min_bytes_per_s=1_000)


def test_a_connection_that_says_nothing_is_late_like_a_head() -> None:
    pace = ReadPace(LIMITS, 100)
    assert (pace.phase, pace.due_s()) == (Phase.ANYTHING, 110)


def test_a_head_is_due_from_its_first_byte() -> None:
    pace = ReadPace(LIMITS, 100)
    pace.begin_head(105)
    assert (pace.phase, pace.due_s()) == (Phase.HEAD, 115)


def test_a_body_earns_a_second_for_every_second_of_bytes() -> None:
    pace = ReadPace(LIMITS, 0)
    pace.begin_body(100)
    assert pace.due_s() == 120
    pace.grow_body(5_000)
    assert pace.due_s() == 125


def test_time_in_which_the_server_did_not_read_is_excused() -> None:
    pace = ReadPace(LIMITS, 0)
    pace.begin_body(100)
    pace.excuse(30)
    assert pace.due_s() == 150
    pace.begin_body(200)
    assert pace.due_s() == 220


def test_what_follows_an_early_answer_is_read_for_a_bounded_time_whatever_its_pace() -> None:
    pace = ReadPace(LIMITS, 0)
    pace.begin_body(100)
    pace.grow_body(1_000_000)
    pace.answer_early(130)
    assert pace.due_s() == 150


def test_a_complete_request_owes_nothing() -> None:
    pace = ReadPace(LIMITS, 0)
    pace.begin_body(100)
    pace.end_request()
    assert pace.due_s() is None


def test_an_idle_connection_has_the_time_of_a_keep_alive() -> None:
    pace = ReadPace(LIMITS, 0)
    pace.begin_body(100)
    pace.end_request()
    pace.end_answers(130)
    assert (pace.phase, pace.due_s()) == (Phase.NEXT, 135)
    pace.begin_head(133)
    assert pace.due_s() == 143


def test_without_a_rate_a_body_may_take_its_time() -> None:
    pace = ReadPace(ServingLimits(body_min_bytes_per_s=0), 0)
    pace.begin_body(100)
    assert pace.due_s() is None
