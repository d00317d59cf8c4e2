"""The `websockets` state machine of one socket, with a rate for the client's frames and refusals in JSON."""

import logging
from collections.abc import Callable

import orjson
from websockets.exceptions import ProtocolError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

from handlers.serving.limits import FrameLimits
from handlers.serving.refusals import ON_EVERY_REFUSAL
from handlers.serving.token_bucket import TokenBucket


class BoundedFrames(ServerProtocol):
    """Fails the connection with 1008 when the client sends more frames than its limits let through.

    Every frame counts, also pings and parts of a message: each costs the same to read. `events_sent` counts the data
    frames sent, for those who want to know whether the peer was given anything.
    """

    def __init__(self, limits: FrameLimits, *, logger: logging.Logger, clock_s: Callable[[], float]) -> None:
        super().__init__(max_size=limits.message_bytes, logger=logger)
        self._clock_s = clock_s
        self.bound(limits)
        self.is_flooded = False
        self.events_sent = 0

    def bound(self, limits: FrameLimits) -> None:
        """Hold the client to these limits from now on. Called when its path is known, before its first frame."""
        self.max_message_size = limits.message_bytes
        self._pace = TokenBucket(limits.per_min / 60, limits.burst, self._clock_s())

    def recv_frame(self, frame: Frame) -> None:
        """Called by the parser for every frame; what it raises ends the parsing of the bytes at hand."""
        if not self._pace.take(self._clock_s()):
            self.is_flooded = True
            raise ProtocolError("too many messages")
        super().recv_frame(frame)

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Close for a fault of the peer; a flood is a matter of policy, not of protocol."""
        super().fail(CloseCode.POLICY_VIOLATION if self.is_flooded else code, reason)

    def send_frame(self, frame: Frame) -> None:
        """Called for every frame that is sent."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self.events_sent += 1
        super().send_frame(frame)

    def reject(self, status: StatusLike, text: str) -> Response:
        """The answer to a handshake that is refused, in the form of all refusals."""
        response = super().reject(status, text)
        message = text.strip() or response.reason_phrase
        response.body = orjson.dumps({"error": message})
        for name, value in (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(response.body))),
            *ON_EVERY_REFUSAL.items(),
        ):
            if name in response.headers:
                del response.headers[name]
            response.headers[name] = value
        return response
