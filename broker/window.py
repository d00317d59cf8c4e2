"""The window of a watched channel: its newest frames, so that readers at the tip need no read of the log.

It holds every frame after its base, so `after` either answers everything after a position or says that it cannot. Pure.
"""

from bisect import bisect_right
from collections.abc import Iterable

from broker.events import Frame
from broker.ids import Position


class Window:
    """The frames after `base`, bounded in number and bytes; the oldest go first and move the base."""

    def __init__(self, base: Position, *, max_frames: int, max_bytes: int) -> None:
        self.base = base
        self.top = base
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: list[Frame] = []
        self._positions: list[Position] = []
        self._bytes = 0

    def __len__(self) -> int:
        """The number of frames held."""
        return len(self._frames)

    def push(self, frames: Iterable[Frame]) -> None:
        """Add frames that follow the newest, in order."""
        for frame in frames:
            self._frames.append(frame)
            self._positions.append(frame.position)
            self._bytes += len(frame.wire)
            self.top = frame.position
        self._shrink()

    def after(self, position: Position) -> list[Frame] | None:
        """The frames after a position, or None when some may have left the window."""
        if position >= self.top:
            return []
        if position < self.base:
            return None
        return self._frames[bisect_right(self._positions, position) :]

    def advance(self, top: Position) -> None:
        """Say that nothing is missing up to `top`: what was between was deleted."""
        self.top = max(self.top, top)

    def forget(self, through: Position) -> None:
        """Forget the frames up to a position: readers before it are to ask the log, which no longer has them."""
        if through > self.base:
            self._drop(bisect_right(self._positions, through))
            self.base = min(through, self.top)

    def reset(self, base: Position) -> None:
        """Forget all frames: what lies after `base` is to come, what lies before is read from the log."""
        self.base = self.top = base
        self._frames.clear()
        self._positions.clear()
        self._bytes = 0

    def _shrink(self) -> None:
        drop = max(0, len(self._frames) - self._max_frames)
        left = self._bytes - sum(len(frame.wire) for frame in self._frames[:drop])
        while left > self._max_bytes:
            left -= len(self._frames[drop].wire)
            drop += 1
        self._drop(drop)

    def _drop(self, count: int) -> None:
        if count:
            self.base = self._positions[count - 1]
            self._bytes -= sum(len(frame.wire) for frame in self._frames[:count])
            del self._frames[:count]
            del self._positions[:count]


def first(frames: list[Frame], most: int, most_bytes: int) -> list[Frame]:
    """At most `most` frames from the beginning, ended by the one that brings them to `most_bytes`."""
    total = 0
    for i, frame in enumerate(frames[:most]):
        total += len(frame.wire)
        if total >= most_bytes:
            return frames[: i + 1]
    return frames[:most]
