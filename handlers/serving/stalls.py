"""Finds connections whose peer has stopped taking bytes. Pure: samples in, verdicts out.

TCP_USER_TIMEOUT does the same in the kernel, but only on Linux. Closing connections are watched as well: a `close`
waits for its buffer to be taken, for ever if nobody watches.
"""

from collections.abc import Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

Connection = TypeVar("Connection", bound=Hashable)


class _Mark(NamedTuple):
    taken_bytes: int
    since_s: float


class StallWatch(Generic[Connection]):
    """Remembers since when each connection has taken nothing."""

    def __init__(self, write_stall_s: float) -> None:
        self._write_stall_s = write_stall_s
        self._marks: dict[Connection, _Mark] = {}

    def stalled(self, waiting: Iterable[tuple[Connection, int]], now_s: float) -> list[Connection]:
        """Those that have taken nothing for `write_stall_s`.

        `waiting`: every connection that has bytes in its write buffer now, with a number that grows as its peer takes
        bytes. One that is absent has nothing to take and starts afresh.
        """
        known, self._marks = self._marks, {}
        for connection, taken in waiting:
            mark = known.get(connection)
            if mark is None or taken > mark.taken_bytes:
                mark = _Mark(taken, now_s)
            self._marks[connection] = mark
        return [connection for connection, mark in self._marks.items() if now_s - mark.since_s >= self._write_stall_s]
