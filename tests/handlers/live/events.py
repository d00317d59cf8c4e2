"""Live events for tests of the pure parts."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from handlers.live.live_event import LiveEvent, Recording, RecordingState, Session, StreamKey
from handlers.live.machine import Status

NOW_MS = 1_800_000_000_000
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def event(**changed: Any) -> LiveEvent:
    """An event that is ready, but for what is changed."""
    key = StreamKey("d" * 64, "sk_07abcd", "stream")
    return replace(LiveEvent("e1", "acme", "town-hall", "Town hall", key, NOW_MS, NOW_MS), **changed)


def numbered() -> Callable[[], str]:
    """Ids that are told apart."""
    numbers = count(1)
    return lambda: f"id{next(numbers)}"


def recorded_event(state: RecordingState | None, status: Status = Status.ENDED, **changed: Any) -> LiveEvent:
    """An event that had a live session, with its recording in this state."""
    whole = state in (RecordingState.FINALISED, RecordingState.EXPIRED)
    length_ms, whole_ms = (60_000, NOW_MS) if whole else (None, None)
    recording = None if state is None else Recording("r1", state, length_ms, whole_ms)
    session = Session("s1", NOW_MS, NOW_MS, NOW_MS + MINUTE_MS, recording)
    return event(status=status, sessions=(session,), **changed)
