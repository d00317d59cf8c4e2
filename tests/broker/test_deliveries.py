"""Which events may be sent, and what follows: by cases, and against a model receiver that fails at random."""

import json
from collections.abc import Iterable
from itertools import repeat
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.deliveries import Outcome, Round, Stretch, due_after, order_keys, plan, settle
from broker.events import Frame
from broker.ids import Position
from broker.patience import MAX_SENDS
from broker.progress import BREAKER_FAILURES, MAX_PARKED, Parked, Progress

NOW = 1_800_000_000_000
START = Position(NOW, 0)
TAKEN, REFUSED = Outcome(204, None, NOW, 3), Outcome(500, None, NOW, 3)


def frame_of(seq: int, data: Any) -> Frame:
    return Frame(Position(NOW, seq), f"id{seq}", None, json.dumps({"data": data}).encode())


def about(*subjects: str) -> list[Frame]:
    return [frame_of(seq, {"subject": subject}) for seq, subject in enumerate(subjects, 1)]


def stretch(frames: list[Frame]) -> Stretch:
    return Stretch(frames, frames[-1].position if frames else START, True)


def seqs(planned: Round) -> list[int]:
    return [each.frame.position.seq for each in planned.sends]


def outcomes(planned: Round, **by_id: Outcome) -> dict[Position, Outcome]:
    """Those named, and success for all others that were sent."""
    return {each.frame.position: by_id.get(each.frame.id, TAKEN) for each in planned.sends}


def test_an_event_is_about_its_subject_or_else_the_channel() -> None:
    for data, key in (
        ({"subject": "cal_1"}, "cal_1"),
        ({"subject": ""}, ""),
        ({"subject": 5}, ""),
        ({"subject": "x" * 257}, ""),
        ({}, ""),
        ([], ""),
        ("subject", ""),
        (None, ""),
    ):
        assert order_keys(frame_of(1, data)) == (key,)


def test_all_that_was_taken_moves_the_cursor() -> None:
    planned = plan(Progress(START), None, stretch(about("a", "b", "a")), NOW)
    assert seqs(planned) == [1, 2, 3]
    after, attempts = settle(Progress(START), planned, outcomes(planned), NOW, repeat(0.5))
    assert after == Progress(Position(NOW, 3), logged=3)
    assert [(each.event_id, each.verdict, each.number) for each in attempts] == [
        ("id1", "delivered", 1),
        ("id2", "delivered", 1),
        ("id3", "delivered", 1),
    ]


def test_a_failure_parks_its_subject_only_and_later_events_of_it_wait() -> None:
    planned = plan(Progress(START), None, stretch(about("a", "b", "a")), NOW)
    result = {Position(NOW, 1): REFUSED, Position(NOW, 2): TAKEN}
    after, attempts = settle(Progress(START), planned, result, NOW, repeat(0.5))
    assert after.cursor == Position(NOW, 3)
    assert after.parked == {"a": Parked(Position(NOW, 0), 1, NOW + 5_000)}
    assert [each.verdict for each in attempts] == ["retrying", "delivered"]
    assert due_after(after, NOW + 4_999) is None and due_after(after, NOW + 5_000) == Position(NOW, 0)
    more = plan(after, None, stretch([frame_of(4, {"subject": "a"}), frame_of(5, {"subject": "b"})]), NOW)
    assert seqs(more) == [5]
    still, _ = settle(after, more, outcomes(more), NOW, repeat(0.5))
    assert still.parked == after.parked and still.cursor == Position(NOW, 5)


def test_when_it_is_due_its_events_are_sent_in_their_order_and_nothing_else_again() -> None:
    parked = Progress(Position(NOW, 4), {"a": Parked(Position(NOW, 1), 2, NOW)})
    planned = plan(parked, stretch(about("a", "a", "b", "a")), stretch([]), NOW)
    assert [(each.frame.position.seq, each.attempts) for each in planned.sends] == [(2, 2), (4, 0)]
    after, _ = settle(parked, planned, outcomes(planned), NOW, repeat(0.5))
    assert after.parked == {}
    half, _ = settle(parked, planned, {Position(NOW, 2): TAKEN, Position(NOW, 4): REFUSED}, NOW, repeat(0.5))
    assert half.parked == {"a": Parked(Position(NOW, 3), 1, NOW + 5_000)}


def test_a_stretch_that_ends_before_the_cursor_keeps_the_subject_parked_behind_what_was_read() -> None:
    parked = Progress(Position(NOW, 90), {"a": Parked(Position(NOW, 0), 2, NOW)})
    behind = Stretch(about("a", "b"), Position(NOW, 40), False)
    planned = plan(parked, behind, stretch([]), NOW)
    after, _ = settle(parked, planned, outcomes(planned), NOW, repeat(0.5))
    assert after.parked == {"a": Parked(Position(NOW, 40), 0, NOW)}


def test_the_eighth_failure_is_a_dead_letter_and_the_next_event_goes_on() -> None:
    parked = Progress(Position(NOW, 2), {"a": Parked(Position(NOW, 0), 7, NOW)})
    planned = plan(parked, stretch(about("a", "a")), stretch([]), NOW)
    after, attempts = settle(parked, planned, {Position(NOW, 1): REFUSED}, NOW, repeat(0.5))
    assert [(each.verdict, each.number, each.next_ms) for each in attempts] == [("dead", 8, None)]
    assert after.parked == {"a": Parked(Position(NOW, 1), 0, NOW)}


def test_as_many_subjects_wait_as_may_and_then_the_cursor_stops() -> None:
    parked = {str(n): Parked(START, 1, NOW + 9_000) for n in range(MAX_PARKED - 1)}
    progress = Progress(Position(NOW, 0), parked)
    planned = plan(progress, None, stretch(about("new", "7", "newer")), NOW)
    assert seqs(planned) == [1] and planned.has_more
    after, _ = settle(progress, planned, outcomes(planned, id1=REFUSED), NOW, repeat(0.5))
    assert after.cursor == Position(NOW, 2) and len(after.parked) == MAX_PARKED
    assert seqs(plan(after, None, stretch([frame_of(3, {"subject": "newer"})]), NOW)) == []


def test_a_paused_endpoint_is_probed_with_one_event_which_is_no_attempt_of_it() -> None:
    parked = {"a": Parked(Position(NOW, 0), 3, NOW), "b": Parked(Position(NOW, 0), 1, NOW)}
    progress = Progress(Position(NOW, 3), parked, failures=BREAKER_FAILURES, paused="failing", probes=1)
    planned = plan(progress, stretch(about("a", "b", "a")), stretch([frame_of(4, None)]), NOW)
    assert seqs(planned) == [1]
    after, [attempt] = settle(progress, planned, outcomes(planned, id1=REFUSED), NOW, repeat(0.5))
    assert attempt.verdict == "probe" and after.parked["a"].attempts == 3
    assert {each.next_ms for each in after.parked.values()} == {after.hold_until_ms} != {NOW}
    closed, _ = settle(progress, planned, outcomes(planned), NOW, repeat(0.5))
    assert closed.paused is None and closed.failures == 0
    assert {each.next_ms for each in closed.parked.values()} == {NOW}


def test_what_was_not_tried_for_lack_of_time_waits_in_its_place() -> None:
    planned = plan(Progress(START), None, stretch(about("a", "b")), NOW)
    after, attempts = settle(Progress(START), planned, {}, NOW, repeat(0.5))
    assert attempts == [] and after.done == START
    assert {key: each.next_ms for key, each in after.parked.items()} == {"a": NOW, "b": NOW}


class Receiver:
    """A model: takes or refuses as it is told, and notes what it took."""

    def __init__(self, luck: Iterable[bool]) -> None:
        self.luck = iter(luck)
        self.taken: list[int] = []

    def serve(self, planned: Round) -> dict[Position, Outcome]:
        result: dict[Position, Outcome] = {}
        broken: set[str] = set()
        for each in planned.sends:
            if broken.isdisjoint(each.keys):
                is_taken = next(self.luck, True)
                result[each.frame.position] = TAKEN if is_taken else REFUSED
                if is_taken:
                    self.taken.append(each.frame.position.seq)
                else:
                    broken.update(each.keys)
        return result


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=60),
    st.lists(st.booleans(), max_size=80),
    st.integers(1, 7),
)
def test_a_receiver_that_fails_at_random_gets_each_event_once_and_each_subject_in_order(
    subjects: list[str], luck: list[bool], size: int
) -> None:
    """Pages of any size; time stands still but for the pauses, which pass at once."""
    log, receiver, progress, now = about(*subjects), Receiver(luck), Progress(START), NOW
    dead: list[int] = []
    for _ in range(2_000):
        place, behind = due_after(progress, now), None
        if place is not None:
            rest = [each for each in log if place < each.position <= progress.cursor]
            whole = len(rest) <= size
            behind = Stretch(rest[:size], progress.cursor if whole else rest[size - 1].position, whole)
        ahead = [each for each in log if each.position > progress.cursor]
        page = Stretch(ahead[:size], ahead[:size][-1].position if ahead else progress.cursor, len(ahead) <= size)
        planned = plan(progress, behind, page, now)
        assert len(planned.sends) <= MAX_SENDS
        progress, attempts = settle(progress, planned, receiver.serve(planned), now, repeat(0.5))
        dead += [int(each.event_id[2:]) for each in attempts if each.verdict == "dead"]
        due = progress.due_ms(now, has_more=planned.has_more)
        if due is None:
            break
        now = due
    assert progress.done == (log[-1].position if log else START)
    assert sorted(receiver.taken + dead) == [each.position.seq for each in log]
    for subject in set(subjects):
        own = [seq for seq in receiver.taken if subjects[seq - 1] == subject]
        assert own == sorted(own)
