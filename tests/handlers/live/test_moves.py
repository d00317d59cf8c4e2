"""How an event moves: by calls, by encoders, by the time; examples, and a random walk that must keep its promises."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Conflict
from handlers.live import moves
from handlers.live.live_event import LiveEvent, RecordingState, StreamKey
from handlers.live.machine import TABLE, Status
from handlers.live.moves import KEPT_DELETED_MS, Moved, Pace
from handlers.live.watch import WatchState, watch_of
from tests.handlers.live.events import DAY_MS, MINUTE_MS, NOW_MS, event, numbered, recorded_event

S = Status
PACE = Pace()
LATER_MS = NOW_MS + MINUTE_MS


def kinds(moved: Moved) -> list[str]:
    return [fact.kind for fact in moved.facts]


def live_event(**changed: object) -> LiveEvent:
    return moves.started(event(**changed), NOW_MS, numbered()).event


def test_going_live_opens_one_session_and_its_recording() -> None:
    moved = moves.started(event(), LATER_MS, numbered())
    assert kinds(moved) == ["event.started", "session.started", "recording.started"]
    assert moved.event.status is S.LIVE and moved.event.session is not None and moved.event.version == 2
    assert kinds(moves.started(event(record_enabled=False), LATER_MS, numbered())) == kinds(moved)[:2]


def test_stop_ends_the_session_and_then_processes_until_the_recording_is_whole() -> None:
    stopped = moves.stopped(live_event(), LATER_MS)
    assert stopped.event.status is S.ENDING and kinds(stopped) == ["event.stopped", "session.ended"]
    assert stopped.facts[1].members == {"session_id": "id2", "duration_seconds": 60}
    processing = moves.timed(stopped.event, LATER_MS, PACE)
    assert processing.event.status is S.PROCESSING and kinds(processing) == ["event.processed"]
    whole = moves.recorded(processing.event, "id1", LATER_MS, 60_000)
    assert whole.event.status is S.ENDED and whole.event.version == processing.event.version + 1
    assert kinds(whole) == ["recording.finalised", "event.ended", "replay.published"]
    assert moves.recorded(whole.event, "id1", LATER_MS, 60_000) == Moved(whole.event)


def test_an_encoder_that_a_stop_cuts_left_at_that_moment() -> None:
    there = moves.connected(live_event(), NOW_MS, numbered()).event
    stopped = moves.stopped(there, LATER_MS).event
    assert (stopped.encoder_ms, stopped.encoder_left_ms) == (None, LATER_MS)
    assert moves.stopped(live_event(), LATER_MS).event.encoder_left_ms is None


def test_stop_from_rehearsal_ends_the_event_and_publishes_no_replay() -> None:
    rehearsal = moves.rehearsed(event(), NOW_MS).event
    ended = moves.timed(moves.stopped(rehearsal, LATER_MS).event, LATER_MS, PACE)
    assert ended.event.status is S.ENDED and kinds(ended) == ["event.ended"]
    seen = watch_of(ended.event, LATER_MS, has_access=True)
    assert seen is not None and seen.state is WatchState.ENDED_NO_REPLAY


def test_processing_that_never_ends_is_given_up_and_the_event_ends_without_replay() -> None:
    there = recorded_event(RecordingState.PROCESSING, S.PROCESSING)
    due_ms = moves.next_due_ms(there, PACE)
    assert due_ms == NOW_MS + PACE.processing_ms
    assert moves.timed(there, due_ms - 1, PACE) == Moved(there)
    assert kinds(moves.timed(there, due_ms, PACE)) == ["recording.failed", "event.ended"]


def test_of_two_recordings_one_that_failed_does_not_take_the_replay_away() -> None:
    first = moves.connected(live_event(), NOW_MS, numbered()).event
    second = moves.connected(moves.disconnected(first, LATER_MS).event, LATER_MS + 1, numbered())
    assert second.event.status is S.LIVE and len(second.event.sessions) == 2
    ending = moves.timed(moves.stopped(second.event, LATER_MS + 2).event, LATER_MS + 2, PACE).event
    ids = [each.id for each in replace(ending).recordings]
    assert len(ids) == 2
    one, two = (replace(each.recording, id=f"r{n}") for n, each in enumerate(ending.sessions) if each.recording)
    pair = zip(ending.sessions, (one, two), strict=True)
    told_apart = replace(ending, sessions=tuple(replace(each, recording=recording) for each, recording in pair))
    failed = moves.recorded(told_apart, "r0", LATER_MS + 3, None)
    assert failed.event.status is S.PROCESSING
    assert kinds(moves.recorded(failed.event, "r1", LATER_MS + 4, 5)) == [
        *("recording.finalised", "event.ended", "replay.published"),
    ]


def test_an_encoder_starts_only_a_ready_event_that_wants_it() -> None:
    for status in (S.SCHEDULED, S.READY, S.REHEARSAL):
        for wants in (True, False):
            moved = moves.connected(event(status=status, auto_start_on_ingest=wants), NOW_MS, numbered())
            starts = status is S.READY and wants
            assert moved.event.status is (S.LIVE if starts else status)
            assert ("event.started" in kinds(moved)) is starts
    for status in (S.DRAFT, S.ENDING, S.PROCESSING, S.ENDED, S.FAILED, S.CANCELLED):
        with pytest.raises(Conflict):
            moves.connected(event(status=status), NOW_MS, numbered())
    with pytest.raises(Conflict):
        moves.connected(event(deleted_ms=NOW_MS), NOW_MS, numbered())


def test_an_encoder_that_flaps_makes_sessions_and_no_events() -> None:
    there = live_event()
    for _ in range(3):
        there = moves.connected(there, NOW_MS, numbered()).event
        there = moves.disconnected(there, LATER_MS).event
    assert there.status is S.LIVE and len(there.sessions) == 3
    assert [each.ended_ms is None for each in there.sessions] == [False, False, True]


def test_rotate_in_rehearsal_cuts_the_encoder_and_is_refused_while_live() -> None:
    key = StreamKey("e" * 64, "sk_07efgh", "other")
    rehearsal = moves.connected(moves.rehearsed(event(), NOW_MS).event, NOW_MS, numbered()).event
    moved = moves.rekeyed(rehearsal, key, LATER_MS)
    assert moved.event.encoder_ms is None and moved.event.key == key
    with pytest.raises(Conflict):
        moves.rekeyed(live_event(), key, LATER_MS)


def test_rehearsal_that_is_not_enabled_is_refused() -> None:
    with pytest.raises(Conflict):
        moves.rehearsed(event(rehearsal_enabled=False), NOW_MS)


def test_a_scheduled_event_is_ready_an_hour_before_its_start_and_cancelled_a_day_after_its_end() -> None:
    start_ms = NOW_MS + 2 * PACE.lead_ms
    there = event(status=S.SCHEDULED, scheduled_start_ms=start_ms, scheduled_end_ms=start_ms + 1)
    ready_ms = start_ms - PACE.lead_ms
    assert moves.next_due_ms(there, PACE) == ready_ms and moves.timed(there, ready_ms - 1, PACE) == Moved(there)
    ready = moves.timed(there, ready_ms, PACE)
    assert ready.event.status is S.READY and kinds(ready) == ["event.readied"]
    cancel_ms = start_ms + 1 + PACE.cancel_after_ms
    assert moves.next_due_ms(ready.event, PACE) == cancel_ms
    assert kinds(moves.timed(ready.event, cancel_ms, PACE)) == ["event.cancelled"]
    assert moves.timed(there, cancel_ms, PACE).event.status is S.CANCELLED


def test_scheduled_end_while_live_does_nothing() -> None:
    there = live_event(scheduled_end_ms=NOW_MS)
    assert moves.next_due_ms(there, PACE) is None
    assert moves.timed(there, NOW_MS + 9 * DAY_MS, PACE) == Moved(there)


def test_retention_that_passes_expires_recording_and_replay() -> None:
    there = recorded_event(RecordingState.FINALISED, retention_days=1)
    assert moves.next_due_ms(there, PACE) == NOW_MS + DAY_MS
    expired = moves.timed(there, NOW_MS + DAY_MS, PACE)
    assert kinds(expired) == ["recording.expired", "replay.expired"]
    assert moves.next_due_ms(expired.event, PACE) is None


def test_a_recording_that_expires_while_live_takes_no_replay_away() -> None:
    there = recorded_event(RecordingState.FINALISED, S.LIVE, retention_days=1)
    assert kinds(moves.timed(there, NOW_MS + DAY_MS, PACE)) == ["recording.expired"]


def test_a_recording_that_is_whole_after_the_event_was_deleted_is_noted_and_nothing_else() -> None:
    there = recorded_event(RecordingState.PROCESSING, S.FAILED, deleted_ms=NOW_MS)
    assert kinds(moves.recorded(there, "r1", LATER_MS, 1)) == ["recording.finalised"]
    assert moves.next_due_ms(there, PACE) == NOW_MS + KEPT_DELETED_MS


STEPS = ("rehearse", "start", "stop", "connect", "disconnect", "whole", "broken", "rotate", "delete", "time")


def step(there: LiveEvent, name: str, now_ms: int) -> Moved:
    key = StreamKey("e" * 64, "sk_07efgh", "other")
    pending = next((each.id for each in there.recordings if each.is_pending), "none")
    match name:
        case "rehearse":
            return moves.rehearsed(there, now_ms)
        case "start":
            return moves.started(there, now_ms, iter((f"r{now_ms}", f"s{now_ms}")).__next__)
        case "stop":
            return moves.stopped(there, now_ms)
        case "connect":
            return moves.connected(there, now_ms, iter((f"r{now_ms}", f"s{now_ms}")).__next__)
        case "disconnect":
            return moves.disconnected(there, now_ms)
        case "whole" | "broken":
            return moves.recorded(there, pending, now_ms, 1 if name == "whole" else None)
        case "rotate":
            return moves.rekeyed(there, key, now_ms)
        case "delete":
            return moves.deleted(there, now_ms)
        case _:
            return moves.timed(there, now_ms, PACE)


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, PACE.processing_ms)), max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_whatever_happens_in_whatever_order_an_event_keeps_its_promises(
    steps: list[tuple[str, int]], auto_start: bool, record: bool
) -> None:
    there, now_ms = event(auto_start_on_ingest=auto_start, record_enabled=record), NOW_MS
    for name, span_ms in steps:
        if there.deleted_ms is not None:
            break
        before, now_ms = there, now_ms + span_ms + 1
        try:
            moved = step(there, name, now_ms)
        except Conflict:
            continue
        there = moved.event
        changed = there != before
        assert there.version == before.version + changed and bool(moved.facts) == changed
        if there.status is not before.status:
            assert there.status in {after for (status, _), after in TABLE.items() if status is before.status}
        assert (there.session is not None) == (there.status is S.LIVE)
        assert sum(each.ended_ms is None for each in there.sessions) <= 1
        assert there.updated_ms >= before.updated_ms
        assert there.encoder_ms is None or there.status in (S.SCHEDULED, S.READY, S.REHEARSAL, S.LIVE)
    # Left alone, it comes to rest: nothing is stuck in ending or processing.
    for _ in range(4):
        due_ms = moves.next_due_ms(there, PACE)
        if due_ms is None or there.deleted_ms is not None:
            break
        there = moves.timed(there, max(due_ms, now_ms), PACE).event
    assert there.status not in (S.ENDING, S.PROCESSING)
