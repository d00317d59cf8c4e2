"""Where one answer of an engine ends in a stream of bytes, and which are events of its pub/sub (RESP 2 and 3). Pure.

So that a proxy can drop whole messages of the live feed, as an engine does whose client's buffer overflows.
"""

from collections.abc import Callable

CRLF = b"\r\n"
BULKS = b"$=!"
LISTS = b"*>~"
MESSAGE = b"\r\n$8\r\nsmessage\r\n"


def frame_end(data: bytes | bytearray, start: int = 0) -> int | None:
    """Where the answer that begins at `start` ends; None while it is not all there."""
    waiting, place = 1, start
    while waiting:
        line_end = data.find(CRLF, place)
        if line_end < 0:
            return None
        kind, count = data[place : place + 1], data[place + 1 : line_end]
        place = line_end + len(CRLF)
        waiting -= 1
        if kind in BULKS and int(count) >= 0:
            place += int(count) + len(CRLF)
        elif kind in LISTS:
            waiting += max(0, int(count))
        elif kind == b"%":
            waiting += 2 * int(count)
        if place > len(data):
            return None
    return place


def is_message(frame: bytes | bytearray) -> bool:
    """Whether this answer is an event of sharded pub/sub, as an array or as a push."""
    return frame[:2] in (b"*3", b">3") and frame[2 : 2 + len(MESSAGE)] == MESSAGE


class MessageFilter:
    """Takes a stream in any pieces and gives it on in whole answers, without the messages that are to be dropped."""

    def __init__(self, is_dropped: Callable[[], bool]) -> None:
        self._is_dropped = is_dropped
        self._rest = bytearray()

    def take(self, data: bytes) -> bytes:
        """The answers that are complete now; `is_dropped` is asked once for each message."""
        self._rest += data
        passed, place = bytearray(), 0
        while (end := frame_end(self._rest, place)) is not None:
            frame = self._rest[place:end]
            if not (is_message(frame) and self._is_dropped()):
                passed += frame
            place = end
            if place == len(self._rest):
                break
        del self._rest[:place]
        return bytes(passed)
