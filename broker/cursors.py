"""What a reader's cursor means for one log: where to read on, and whether something is missing (contract 16).

A cursor with the log's own tag is exact. Any other well-formed ULID, and a `since` time, is a clock position. Pure.
"""

from typing import NamedTuple

from broker.ids import MAX_SEQ, ORIGIN, Cursor, Position


class LogMeta(NamedTuple):
    """What a log says of itself, read in one step with whatever it came with.

    `start` is the position that the log was created at, `top` the last one given out (equal to `start` while nothing
    was published), `trimmed` the last one that retention removed (equal to `start` while none was). No event
    up to `top` has a tail of more than `largest_bytes`.
    """

    start: Position
    top: Position
    trimmed: Position
    revision: int
    record_version: int
    event_count: int
    largest_bytes: int

    @property
    def last(self) -> Position | None:
        """The position of the newest event ever published here, None before the first."""
        return self.top if self.event_count else None


class Start(NamedTuple):
    """Where a read begins: after `position`.

    `own` is True for a cursor that this log gave out, `is_time` for a `since`; neither, for the cursor of another log.
    """

    position: Position
    own: bool
    is_time: bool = False


def start_at(cursor: Cursor, tag: int) -> Start:
    """Where a read from `cursor` begins in the log with this tag; a foreign cursor includes its whole millisecond."""
    if cursor.tag == tag:
        return Start(cursor.position, own=True)
    return Start(Position(cursor.ms - 1, MAX_SEQ) if cursor.ms else ORIGIN, own=False)


def start_since(since_ms: int) -> Start:
    """Where a read of the events created after a time begins."""
    return Start(Position(since_ms, MAX_SEQ), own=False, is_time=True)


def latest(starts: list[Start]) -> Start | None:
    """The one start that satisfies all, or None where there is none: `since` and `cursor` both apply (contract 8)."""
    return max(starts, default=None)


def has_gap(start: Start, meta: LogMeta) -> bool:
    """True when events after this start are gone.

    They were trimmed; or lost by a fail-over (an own cursor above the top); or they may have been in a log of this
    name that was deleted before this one was created (another log's cursor from before the start; design section 3).
    """
    if start.own:
        return start.position < meta.trimmed or start.position > meta.top
    return start.position < meta.trimmed and (meta.trimmed > meta.start or not start.is_time)


def resume_from(start: Start, meta: LogMeta) -> Position:
    """The position that a reader goes on from when nothing lies after its start."""
    if start.position < meta.trimmed:
        return meta.trimmed
    return min(start.position, meta.top)


class Mark(NamedTuple):
    """How far a log is known: its top and its revision."""

    top: Position
    revision: int

    def is_beyond(self, meta: LogMeta) -> bool:
        """Whether the log itself, asked later, is not so far: it lost something."""
        return meta.top < self.top or meta.revision < self.revision
