"""When the bytes that a client owes are due: head, body, or the first byte at all. Pure: the clock is an argument."""

from enum import Enum

from handlers.serving.limits import ServingLimits


class Phase(Enum):
    """What the client owes."""

    ANYTHING = "anything"  # connected, has sent nothing yet
    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"  # the request is there in whole, its answer is not
    NEXT = "next"  # all is answered: another request, or the end


class ReadPace:
    """Follows one connection through its requests; `due_s` is the moment at which patience ends.

    `began_s` is when the phase began: the connection, the first byte of a head, the first byte after a head.
    """

    __slots__ = ("_answered_s", "_body_bytes", "_excused_s", "_limits", "began_s", "phase")

    def __init__(self, limits: ServingLimits, now_s: float) -> None:
        self._limits = limits
        self.phase = Phase.ANYTHING
        self.began_s = now_s
        self._body_bytes = 0
        self._answered_s: float | None = None
        self._excused_s = 0.0

    def begin_head(self, now_s: float) -> None:
        """The first byte of a head is there."""
        self.phase, self.began_s = Phase.HEAD, now_s

    def begin_body(self, now_s: float) -> None:
        """The head is complete."""
        self.phase, self.began_s = Phase.BODY, now_s
        self._body_bytes, self._answered_s, self._excused_s = 0, None, 0.0

    def grow_body(self, size_bytes: int) -> None:
        """A part of the body came."""
        self._body_bytes += size_bytes

    def end_request(self) -> None:
        """The request is complete."""
        self.phase = Phase.NOTHING

    def end_answers(self, now_s: float) -> None:
        """All requests are there and answered: the connection is idle."""
        self.phase, self.began_s = Phase.NEXT, now_s

    def answer_early(self, now_s: float) -> None:
        """The app has answered without waiting for the body; the rest is read for `body_s` at most."""
        self._answered_s = now_s

    def excuse(self, passed_s: float) -> None:
        """The server did not read for this time; a body is due so much later."""
        self._excused_s += passed_s

    def due_s(self) -> float | None:
        """When the client is late, None where it owes nothing."""
        if self.phase is Phase.NOTHING:
            return None
        if self.phase is not Phase.BODY:
            is_idle = self.phase is Phase.NEXT
            return self.began_s + (self._limits.keep_alive_s if is_idle else self._limits.head_s)
        if self._answered_s is not None:
            return self._answered_s + self._limits.body_s
        if not self._limits.body_min_bytes_per_s:
            return None
        earned_s = self._body_bytes / self._limits.body_min_bytes_per_s + self._excused_s
        return self.began_s + self._limits.body_s + earned_s
