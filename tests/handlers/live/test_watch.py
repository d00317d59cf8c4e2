"""What viewers see, by enumeration of all that there can be (contract section 4)."""

from itertools import product
from typing import Any

import pytest

from handlers.live.live_event import RecordingState, Visibility
from handlers.live.machine import Status
from handlers.live.watch import TABLE, PlaybackMode, Replay, Watch, WatchState, replay_of, seen_in, watch_of
from tests.handlers.live.events import DAY_MS, NOW_MS, event, recorded_event

S, R, W = Status, Replay, WatchState
RECORDINGS = (None, RecordingState.PROCESSING, RecordingState.FINALISED, RecordingState.FAILED)


def expected(status: Status, replay: Replay, is_open: bool) -> WatchState | None:
    """The contract's table, told the other way round: by what is seen."""
    if status is S.DRAFT:
        return None
    if status in (S.SCHEDULED, S.READY):
        return W.NOT_STARTED
    if status is S.LIVE:
        return W.LIVE if is_open else W.ACCESS_REQUIRED
    if status in (S.REHEARSAL, S.CANCELLED):
        return W.REHEARSAL_HIDDEN if status is S.REHEARSAL else W.CANCELLED
    if status is S.FAILED or replay in (R.OFF, R.GONE):
        return W.ENDED_NO_REPLAY
    if status is S.ENDED and replay is R.PUBLISHED:
        return W.REPLAY_AVAILABLE if is_open else W.ACCESS_REQUIRED
    return W.PROCESSING_REPLAY


def test_each_combination_of_the_table_has_exactly_one_row() -> None:
    for status, replay, is_open in product(Status, Replay, (True, False)):
        rows = [row for row in TABLE if row.holds(status, replay, is_open)]
        assert len(rows) == (0 if status is S.DRAFT else 1), (status, replay, is_open)
        seen = seen_in(status, replay, is_open)
        assert (seen and seen.state) == expected(status, replay, is_open), (status, replay, is_open)


def test_all_2560_combinations_of_an_event_and_a_caller_are_decided() -> None:
    combinations = product(Status, Visibility, (True, False), (True, False), (True, False), (True, False), RECORDINGS)
    decided = 0
    for status, mode, has_access, record, replay, was_live, recording in combinations:
        flags: dict[str, Any] = {
            "visibility": mode,
            "record_enabled": record,
            "replay_enabled": replay,
            "status": status,
        }
        there = recorded_event(recording, **flags) if was_live else event(**flags)
        seen = watch_of(there, NOW_MS, has_access=has_access)
        decided += 1
        assert (seen is None) == (status is S.DRAFT)
        if seen is None:
            continue
        is_open = has_access or mode is Visibility.PUBLIC
        assert seen.state == expected(status, replay_of(there, NOW_MS), is_open)
        assert (seen.playback is PlaybackMode.LIVE) == (seen.state is W.LIVE)
        assert (seen.playback is PlaybackMode.REPLAY) == (seen.state is W.REPLAY_AVAILABLE)
        assert seen.state is not W.ACCESS_REQUIRED or mode is not Visibility.PUBLIC
        if seen.state is W.REPLAY_AVAILABLE:
            assert was_live and record and replay and recording is RecordingState.FINALISED
    assert decided == 2_560


@pytest.mark.parametrize(
    ("state", "found"),
    [(None, R.GONE), *zip(RecordingState, (R.PENDING, R.PENDING, R.PUBLISHED, R.GONE, R.GONE), strict=True)],
)
def test_what_the_recording_is_decides_what_there_is_to_replay(state: RecordingState | None, found: Replay) -> None:
    assert replay_of(recorded_event(state), NOW_MS) is found
    assert replay_of(recorded_event(state, replay_enabled=False), NOW_MS) is R.OFF
    assert replay_of(recorded_event(state, record_enabled=False), NOW_MS) is R.OFF


def test_a_rehearsal_alone_leaves_nothing_to_replay() -> None:
    assert watch_of(event(status=S.ENDED), NOW_MS, has_access=True) == Watch(W.ENDED_NO_REPLAY, PlaybackMode.NONE)


def test_retention_ends_at_the_very_millisecond() -> None:
    there = recorded_event(RecordingState.FINALISED, retention_days=2)
    ends_ms = NOW_MS + 2 * DAY_MS
    last, first = (watch_of(there, at, has_access=True) for at in (ends_ms - 1, ends_ms))
    assert last == (W.REPLAY_AVAILABLE, "replay") and first == (W.ENDED_NO_REPLAY, "none")


def test_a_deleted_event_and_a_draft_are_as_if_there_were_none() -> None:
    assert watch_of(event(status=S.DRAFT), NOW_MS, has_access=True) is None
    assert watch_of(event(deleted_ms=NOW_MS), NOW_MS, has_access=True) is None
