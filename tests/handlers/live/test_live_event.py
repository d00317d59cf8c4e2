"""What an event says of itself."""

from handlers.live.live_event import Recording, RecordingState, Session
from tests.handlers.live.events import DAY_MS, NOW_MS, event, recorded_event


def test_the_longest_recording_within_retention_is_replayed() -> None:
    sessions = tuple(
        Session(f"s{n}", NOW_MS + n, None, NOW_MS + 9, Recording(f"r{n}", RecordingState.FINALISED, length, NOW_MS))
        for n, length in enumerate((5, 9, 9, 1))
    )
    found = event(sessions=sessions).replay_at(NOW_MS)
    assert found is not None and found[1].id == "r2"
    assert event(sessions=sessions, retention_days=1).replay_at(NOW_MS + DAY_MS) is None


def test_only_what_is_whole_expires() -> None:
    for state in RecordingState:
        there = recorded_event(state)
        ends_ms = there.expires_ms(there.recordings[0])
        assert (ends_ms is not None) == (state is RecordingState.FINALISED)


def test_a_session_lasts_until_its_end_or_until_now() -> None:
    assert Session("s", NOW_MS).duration_s(NOW_MS + 1_999) == 1
    assert Session("s", NOW_MS, None, NOW_MS + 5_000).duration_s(NOW_MS + 99_999) == 5
    assert event().session is None
