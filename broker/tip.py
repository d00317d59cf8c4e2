"""The tip of a watched channel: readers that have everything so far, and are written to as events come.

A reader here has no task and no state that an event changes: it stands where the tip stands. What is appended is
encoded once for all readers with the same filter and encoding, all events of one turn of the loop are joined, and each
reader is written to once (performance.md 3 and 4). Who cannot take more, or is to end, leaves at a known position.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from broker.counts import HubCounts
from broker.events import Frame
from broker.ids import Position
from broker.pages import Types
from broker.sweeper import Sweeper

AT_ONCE_BYTES = 16_384
"""So much, or one event that is longer, is written to everybody before those whose buffers are full have left."""

Encode = Callable[[Sequence[Frame]], bytes]
Write = Callable[[bytes], object]
Reader = TypeVar("Reader")

logger = logging.getLogger(__name__)


class _Group(Generic[Reader]):
    """Readers that are written the same bytes."""

    __slots__ = ("_writes", "encode", "readers", "types")

    def __init__(self, types: Types | None, encode: Encode) -> None:
        self.types = types
        self.encode = encode
        self.readers: dict[Reader, Write] = {}
        self._writes: list[Write] | None = None

    def change(self) -> None:
        self._writes = None

    def encoded(self, frames: list[Frame]) -> tuple[int, bytes]:
        """How many of the events pass the filter, and these encoded."""
        types = self.types
        passed = frames if types is None else [frame for frame in frames if frame.type_json in types]
        return len(passed), self.encode(passed) if passed else b""

    def writes(self) -> list[Write]:
        """The list stays as it is while it is gone through; who leaves meanwhile has been written to."""
        if self._writes is None:
            self._writes = list(self.readers.values())
        return self._writes


class Tip(Generic[Reader]):
    """The readers at the tip of one channel. All of them have everything up to `at`; `waiting` events come next.

    `on_broken` is called with a reader whose write raised, or whose events could not be encoded: it gets no more.
    """

    def __init__(self, at: Position, sweeper: Sweeper, counts: HubCounts, on_broken: Callable[[Reader], None]) -> None:
        self.at = at
        self._sweeper = sweeper
        self._counts = counts
        self._on_broken = on_broken
        self._groups: dict[tuple[Types | None, Encode], _Group[Reader]] = {}
        self._group_of: dict[Reader, _Group[Reader]] = {}
        self._waiting: list[Frame] = []
        self._waiting_bytes = 0

    @property
    def waiting(self) -> int:
        """How many events are still to be written to the readers here."""
        return len(self._waiting)

    def join(self, reader: Reader, at: Position, types: Types | None, encode: Encode, write: Write) -> None:
        """Write to this reader too, from now on. It has everything up to `at`, the log's tip as known."""
        self.flush()
        self.at = at
        group = self._groups.get((types, encode))
        if group is None:
            group = self._groups[types, encode] = _Group(types, encode)
        group.readers[reader] = write
        group.change()
        self._group_of[reader] = group

    def leave(self, reader: Reader) -> bool:
        """Write to this reader no more; it stands at `at`. False where it was not here."""
        group = self._group_of.pop(reader, None)
        if group is None:
            return False
        del group.readers[reader]
        group.change()
        if not group.readers:
            del self._groups[group.types, group.encode]
        return True

    def clear(self) -> list[Reader]:
        """Everybody leaves, at `at`, after what waits was written."""
        self.flush()
        readers = list(self._group_of)
        self._groups.clear()
        self._group_of.clear()
        return readers

    def push(self, frames: Sequence[Frame]) -> None:
        """Events that follow what the readers have: they are written at the end of this turn of the loop."""
        if not self._group_of:
            return
        self._waiting += frames
        self._waiting_bytes += sum(len(frame.wire) for frame in frames)
        if self._waiting_bytes >= AT_ONCE_BYTES:
            self.flush()
        else:
            self._sweeper.mark(self.flush)

    def flush(self) -> None:
        """Write what waits, now. Where it cannot be encoded all readers are broken, at the place where they are."""
        if not self._waiting:
            return
        frames, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for some in pieces(frames):
            try:
                encoded = [(group, *group.encoded(some)) for group in self._groups.values()]
            except Exception:
                logger.exception("events could not be encoded")
                self._break(list(self._group_of))
                return
            self.at = some[-1].position
            for group, count, text in encoded:
                if count:
                    self._write(group, count, text)

    def _write(self, group: _Group[Reader], count: int, encoded: bytes) -> None:
        writes = group.writes()
        self._counts.delivered += count * len(writes)
        left = iter(writes)
        while True:
            write: Write | None = None
            try:
                for write in left:
                    write(encoded)
            except Exception:  # the transport of one that is just going
                self._break([reader for reader, known in group.readers.items() if known is write])
            else:
                return

    def _break(self, readers: list[Reader]) -> None:
        for reader in readers:
            try:
                self._on_broken(reader)
            except Exception:
                # The others are still to be written what they are taken to have.
                logger.exception("a broken reader could not be told to end")


def pieces(frames: list[Frame], most_bytes: int = AT_ONCE_BYTES) -> Iterator[list[Frame]]:
    """The frames in parts of at most so many bytes, or of one frame that is longer."""
    part: list[Frame] = []
    total = 0
    for frame in frames:
        if part and total + len(frame.wire) > most_bytes:
            yield part
            part, total = [], 0
        part.append(frame)
        total += len(frame.wire)
    if part:
        yield part
