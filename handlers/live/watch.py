"""What a viewer sees: the decision table of watch states (contract section 4). Pure.

One function for the watch page, the answers of verification and the events of the channel. Each combination of status,
replay and access is matched by exactly one row; what no row matches (`draft`) is not there for viewers.
"""

from enum import StrEnum
from typing import NamedTuple

from handlers.live.live_event import LiveEvent, Visibility
from handlers.live.machine import Status


class Replay(StrEnum):
    """Whether there is something to replay."""

    OFF = "off"
    PUBLISHED = "published"
    PENDING = "pending"
    GONE = "gone"


class WatchState(StrEnum):
    """What the watch page shows."""

    NOT_STARTED = "not_started"
    ACCESS_REQUIRED = "access_required"
    LIVE = "live"
    REHEARSAL_HIDDEN = "rehearsal_hidden"
    PROCESSING_REPLAY = "processing_replay"
    REPLAY_AVAILABLE = "replay_available"
    ENDED_NO_REPLAY = "ended_no_replay"
    CANCELLED = "cancelled"


class PlaybackMode(StrEnum):
    """What can be played."""

    LIVE = "live"
    REPLAY = "replay"
    NONE = "none"


class Watch(NamedTuple):
    """What a viewer sees."""

    state: WatchState
    playback: PlaybackMode


class Row(NamedTuple):
    """A row of the table: where it holds, and what is seen there. `is_open` None is for whoever asks."""

    statuses: frozenset[Status]
    replays: frozenset[Replay]
    is_open: bool | None
    seen: Watch

    def holds(self, status: Status, replay: Replay, is_open: bool) -> bool:
        """Whether it is the row of this combination."""
        return status in self.statuses and replay in self.replays and self.is_open in (None, is_open)


def _row(statuses: set[Status], replays: set[Replay], is_open: bool | None, state: WatchState) -> Row:
    playback = {WatchState.LIVE: PlaybackMode.LIVE, WatchState.REPLAY_AVAILABLE: PlaybackMode.REPLAY}
    return Row(frozenset(statuses), frozenset(replays), is_open, Watch(state, playback.get(state, PlaybackMode.NONE)))


S, R, W = Status, Replay, WatchState
ANY = set(Replay)
TABLE = (
    _row({S.SCHEDULED, S.READY}, ANY, None, W.NOT_STARTED),
    _row({S.REHEARSAL}, ANY, None, W.REHEARSAL_HIDDEN),
    _row({S.LIVE}, ANY, True, W.LIVE),
    _row({S.LIVE}, ANY, False, W.ACCESS_REQUIRED),
    _row({S.ENDING, S.PROCESSING}, {R.PENDING, R.PUBLISHED}, None, W.PROCESSING_REPLAY),
    _row({S.ENDING, S.PROCESSING}, {R.OFF, R.GONE}, None, W.ENDED_NO_REPLAY),
    _row({S.ENDED}, {R.PUBLISHED}, True, W.REPLAY_AVAILABLE),
    _row({S.ENDED}, {R.PUBLISHED}, False, W.ACCESS_REQUIRED),
    _row({S.ENDED}, {R.PENDING}, None, W.PROCESSING_REPLAY),
    _row({S.ENDED}, {R.OFF, R.GONE}, None, W.ENDED_NO_REPLAY),
    _row({S.FAILED}, ANY, None, W.ENDED_NO_REPLAY),
    _row({S.CANCELLED}, ANY, None, W.CANCELLED),
)
"""`access_required` stands for what would be played only: nobody should have to type a password to learn that an event
is cancelled."""


def seen_in(status: Status, replay: Replay, is_open: bool) -> Watch | None:
    """What is seen in this combination; None where there is nothing for viewers."""
    return next((row.seen for row in TABLE if row.holds(status, replay, is_open)), None)


def replay_of(event: LiveEvent, now_ms: int) -> Replay:
    """Whether there is something to replay: by the flags, then by the best of its recordings."""
    if not event.record_enabled or not event.replay_enabled or not event.sessions:
        return Replay.OFF
    if event.replay_at(now_ms) is not None:
        return Replay.PUBLISHED
    return Replay.PENDING if any(each.is_pending for each in event.recordings) else Replay.GONE


def watch_of(event: LiveEvent, now_ms: int, *, has_access: bool) -> Watch | None:
    """What a viewer sees of an event; None where it is as if there were none: a draft, or deleted."""
    if event.deleted_ms is not None:
        return None
    is_open = has_access or event.visibility is Visibility.PUBLIC
    return seen_in(event.status, replay_of(event, now_ms), is_open)
