"""Readers of a channel that is held against a model: what they are shown, and why they end, must be what it says."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.closing import Closed
from broker.events import Frame
from broker.hub_limits import HubLimits
from broker.ids import Position, parse_ulid
from broker.pages import Types
from broker.pump import Pump
from broker.subscription import Step, Subscription
from tests.broker.model_log import ModelLog

LIMITS = HubLimits(window_events=5, window_bytes=400, page_events=4, max_lag_events=12)


def encode_ids(frames: Sequence[Frame]) -> bytes:
    return b" ".join(frame.id.encode() for frame in frames)


@dataclass(slots=True)
class Reader:
    """A reader of the test: what it got, and how it ended. One with a pump has a sink."""

    subscription: Subscription
    start: Position
    types: Types | None
    is_stranger: bool
    is_eager: bool
    next: "asyncio.Task[Step] | None" = None
    got: list[Frame] = field(default_factory=list)
    closed: Closed | None = None
    sink: "Pumped | None" = None
    pump: Pump | None = None

    @property
    def cursor(self) -> Position:
        return parse_ulid(self.subscription.cursor).position

    def stop(self) -> None:
        """Ask for nothing more, whatever was asked for."""
        if self.next is not None:
            self.next.cancel()
        if self.pump is not None:
            self.pump.stop()


class Crowd:
    """All readers of a test. `has_lost` says that the engine went back to an earlier state since."""

    def __init__(self, model: ModelLog) -> None:
        self.model = model
        self.readers: list[Reader] = []
        self.defects: list[Exception] = []
        self.has_lost = False

    def collect(self, reader: Reader) -> None:
        """Take the step that a reader asked for, once it is there."""
        if reader.next is None or not reader.next.done():
            return
        task, reader.next = reader.next, None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            assert isinstance(error, Closed), error
            self.close(reader, error)
            return
        self.take_step(reader, task.result())

    def take_step(self, reader: Reader, step: Step) -> None:
        """What a reader with a task was given."""
        cursor = reader.cursor
        for frame in step.frames:
            assert frame == self.model.history[frame.position].frame
            assert cursor < frame.position <= parse_ulid(step.cursor).position
            cursor = frame.position
        self.take(reader, step.frames)

    def take(self, reader: Reader, frames: Sequence[Frame]) -> None:
        """Events that a reader was given: each must be the next that it may have."""
        record = self.model.state.record
        for frame in frames:
            event = self.model.history[frame.position]
            assert reader.types is None or frame.type_json in reader.types
            assert frame.position > (reader.got[-1].position if reader.got else reader.start)
            if reader.is_stranger and record is not None and not record.is_public and not self.has_lost:
                assert event.era < record.version and event.era == 0, "a stranger was shown what is private now"
            reader.got.append(frame)

    def close(self, reader: Reader, closed: Closed) -> None:
        """The end of a reader: its reason must be true."""
        reader.closed = closed
        state = self.model.state
        match closed.code:
            case 1000:
                assert state.record is None and closed.cursor is None
            case 4403:
                assert reader.is_stranger
            case 4408:
                behind = [place for place in self.model.history if place > reader.cursor]
                assert len(behind) > LIMITS.max_lag_events or self.has_lost
            case 4410:
                assert closed.cursor is not None
                assert reader.cursor < state.trimmed or self.has_lost
            case _:
                raise AssertionError(closed.code)

    def check(self) -> None:
        """Nobody missed anything up to where it stands, nor had anything twice."""
        assert not self.defects
        for reader in self.readers:
            seen = [frame.position for frame in reader.got]
            assert seen == sorted(set(seen))
            missed = {
                event.position
                for event in self.model.state.events
                if reader.start < event.position <= reader.cursor
                and (reader.types is None or event.type_json in reader.types)
            } - set(seen)
            assert missed <= self.model.deleted, "an event was skipped"


class Pumped:
    """The sink of a reader without a task."""

    def __init__(self, crowd: Crowd, reader: Reader) -> None:
        self.is_full = False
        self.writes = 0
        self._crowd = crowd
        self._reader = reader

    def write(self, encoded: bytes) -> None:
        assert self._reader.closed is None, "written after the end"
        self.writes += 1
        history = self._crowd.model.history
        self._crowd.take(
            self._reader, [history[parse_ulid(text.decode()).position].frame for text in encoded.split(b" ")]
        )

    def end(self, why: Closed | Exception) -> None:
        if isinstance(why, Closed):
            self._crowd.close(self._reader, why)
        else:
            self._crowd.defects.append(why)
