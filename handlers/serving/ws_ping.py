"""One ping of a socket, and how long its peer may take to answer. Pure.

A peer that was sent events before the ping may have them in its buffers, the ping behind them. It is there as long as
it takes them, and has the right to stop reading for `write_stall_s`.
"""

import struct

from websockets.frames import Frame, Opcode

from handlers.serving.limits import ServingLimits

PING_FRAME_BYTES = 6
_PAYLOAD = struct.Struct("!I")


class Ping:
    """A ping that waits for its pong. `taken_bytes` is what the peer had taken when it was sent."""

    __slots__ = ("_had_events", "_taken_bytes", "_took_s", "payload", "sent_s")

    def __init__(self, now_s: float, taken_bytes: int, *, had_events: bool) -> None:
        self.payload = _PAYLOAD.pack(int(now_s * 1000) & 0xFFFFFFFF)
        self.sent_s = self._took_s = now_s
        self._taken_bytes = taken_bytes
        self._had_events = had_events

    def frame(self) -> bytes:
        """The frame to send."""
        return Frame(Opcode.PING, self.payload).serialize(mask=False)

    def patience_s(self, now_s: float, taken_bytes: int, buffered_bytes: int, limits: ServingLimits) -> float:
        """How long to wait on for the pong that is overdue; 0 or less for no longer."""
        if not self._had_events and not buffered_bytes:
            return 0.0
        if taken_bytes > self._taken_bytes:
            self._taken_bytes, self._took_s = taken_bytes, now_s
        return min(self._took_s + limits.write_stall_s - now_s, limits.pong_wait_s)
