"""uvicorn's WebSocket protocol with bounds on the handshake, on the client's frames and on every wait.

What uvicorn 0.54 does not do and this class does: an end for handshakes that the app does not answer, an answer to
unreadable ones (uvicorn logs 414 and sends nothing), a rate for frames, a close code that arrives, also at a client
that does not read, a disconnect told to the app as soon as it is known, no tokens in the log and no stack traces for
what a client sent. Sockets are left to the app while the process drains.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import PayloadTooBig, RequestLineTooLong
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from handlers.serving.admission import Slot
from handlers.serving.gate import Gate
from handlers.serving.raw_text import joined, raw_text_extension
from handlers.serving.refusals import Kind, render_refusal
from handlers.serving.sockets import abort, close_after_answer, taken_bytes
from handlers.serving.unblock import unblock_extension
from handlers.serving.ws_frames import BoundedFrames

# uvicorn writes every handshake with its query string, and so with tokens, at INFO; websockets at DEBUG.
_quiet_logger = logging.getLogger("handlers.serving.sockets")
_quiet_logger.setLevel(logging.WARNING)


class BoundedSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket, from its handshake on."""

    def __init__(self, *args: Any, gate: Gate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limits = gate.limits
        self._gate = gate
        self._limits = limits
        self.logger = _quiet_logger
        self.close_timeout = limits.close_wait_s
        self.frames_in = BoundedFrames(limits.frames_of(""), logger=_quiet_logger, clock_s=self.loop.time)
        self.conn = self.frames_in
        self._slot: Slot | None = None
        self._handshake_timer: asyncio.TimerHandle | None = None
        self._is_deaf = False
        self._events_at_pong = 0
        self._taken_bytes = 0
        self._took_at_s = 0.0

    def adopt(self, slot: Slot | None, handshake_due_s: float) -> None:
        """Take over the connection's place, and the end of patience for its handshake."""
        self._slot = slot
        self._handshake_timer = self.loop.call_at(handshake_due_s, self._check_handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        super().connection_lost(exc)
        self._gate.count_loss(exc)
        if self._handshake_timer is not None:
            self._handshake_timer.cancel()
        if self._slot is not None:
            self._slot.leave()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; refuse handshakes that it cannot read and frames that come before the handshake's end."""
        if self._is_deaf:
            return
        if self.handshake_initiated and not self.handshake_complete:
            self._refuse_handshake(Kind.HANDSHAKE_MALFORMED, 400, "Frames before the end of the handshake")
            return
        super().data_received(data)
        if self._is_deaf:
            return
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            is_long = isinstance(self.conn.handshake_exc, RequestLineTooLong)
            status, message = (414, "Request target too long") if is_long else (400, "Malformed handshake")
            self._refuse_handshake(Kind.HANDSHAKE_MALFORMED, status, message)

    def handle_connect(self, event: Request) -> None:
        """The handshake is there: its path says what the client may send. Start the app, or refuse it."""
        self.frames_in.bound(self._limits.frames_of(unquote(event.path.partition("?")[0])))
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions = self.scope["extensions"]
            extensions.update({**unblock_extension(self.writable.set), **raw_text_extension(self.write_texts)})
        else:
            self._gate.refusals.count(Kind.HANDSHAKE_MALFORMED)

    async def send(self, message: ASGISendEvent) -> None:
        """Write what the app says. An answer that refuses the handshake ends it; uvicorn logs it as an error."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    async def write_texts(self, texts: Sequence[bytes]) -> None:
        """Write ready texts, a frame each, as there is room; raises `ClientDisconnected` (see `raw_text`)."""
        for frames, count in joined(texts):
            if not self.writable.is_set():
                await self.writable.wait()
            if self.disconnected or self.close_sent or self.transport.is_closing():
                raise ClientDisconnected
            self.frames_in.events_sent += count
            self.transport.write(frames)

    def send_receive_event_to_app(self) -> None:
        """A message is there in whole. uvicorn logs a stack trace for text that is none."""
        if self.curr_msg_data_type == "text" and not _is_utf8(self.frames):
            self.frames = []
            self.conn.fail(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Close with the code of the fault, in a way that lets it arrive; the app is told at once."""
        close = self.conn.close_sent
        if close is None:  # the fault came before the app had accepted
            self._refuse_handshake(Kind.HANDSHAKE_MALFORMED, 400, "Malformed handshake")
            return
        self._gate.refusals.count(self._kind_of_fault())
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._leave_app(close.code, close.reason)
        self._close_after_answer()

    def _kind_of_fault(self) -> Kind:
        if self.frames_in.is_flooded:
            return Kind.FRAME_RATE
        return Kind.FRAME_TOO_LARGE if isinstance(self.conn.parser_exc, PayloadTooBig) else Kind.FRAME_MALFORMED

    def handle_pong(self, event: Frame) -> None:
        """Remember what the peer had been sent when it answered."""
        super().handle_pong(event)
        if self.pending_ping_payload is None:
            self._events_at_pong = self.frames_in.events_sent

    def send_keepalive_ping(self) -> None:
        """Ask whether the peer is there, and remember what it has taken so far."""
        super().send_keepalive_ping()
        self._took_at_s = self.loop.time()
        self._taken_bytes = taken_bytes(self.transport)

    def keepalive_timeout(self) -> None:
        """Drop a peer that does not answer a ping.

        One that was sent events since its last pong may have them before the ping in its buffers. It is there as long
        as it takes them, and has the right to stop reading for `write_stall_s`.
        """
        if self.close_sent or self.transport.is_closing():
            return
        left_s = self._patience_s()
        if left_s > 0:
            self.pong_timer = self.loop.call_later(left_s, self.keepalive_timeout)
            return
        self._gate.refusals.count(Kind.PONG_LATE)
        super().keepalive_timeout()
        self._leave_app(1006, "")
        if self.transport.get_write_buffer_size():
            abort(self.transport)

    def _patience_s(self) -> float:
        if self.frames_in.events_sent == self._events_at_pong and not self.transport.get_write_buffer_size():
            return 0.0
        taken, now_s = taken_bytes(self.transport), self.loop.time()
        if taken > self._taken_bytes:
            self._taken_bytes, self._took_at_s = taken, now_s
        left_s = self._took_at_s + self._limits.write_stall_s - now_s
        return min(left_s, self._limits.pong_wait_s)

    def shutdown(self) -> None:
        """The end of the drain: what the app has left open is closed with 1012."""
        if self._is_deaf or self.transport.is_closing():
            return
        if not self.handshake_complete:
            self._answer_handshake(503, "The server is restarting")
            return
        self.conn.fail(CloseCode.SERVICE_RESTART, "The server is restarting")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._leave_app(CloseCode.SERVICE_RESTART, "")
        self._close_after_answer()

    def _check_handshake(self) -> None:
        self._handshake_timer = None
        if not self.handshake_complete and not self.transport.is_closing():
            self._refuse_handshake(Kind.HANDSHAKE_SLOW, 503, "The handshake was not answered in time")

    def _refuse_handshake(self, kind: Kind, status: int, message: str) -> None:
        self._gate.refusals.count(kind)
        self._answer_handshake(status, message)

    def _answer_handshake(self, status: int, message: str) -> None:
        self.handshake_complete = True
        if not self.transport.is_closing():
            self.transport.write(render_refusal(status, message, self.default_headers))
        self._leave_app(1006, message)
        self._close_after_answer()

    def _leave_app(self, code: int, reason: str) -> None:
        """Let the app go: it receives a disconnect, and what it sends from now on raises `ClientDisconnected`."""
        self.close_sent = True
        self.disconnected = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.writable.set()

    def _close_after_answer(self) -> None:
        self._is_deaf = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        # uvicorn closes at once when the app returns, unless this timer of its own runs.
        self.close_timer = close_after_answer(self.transport, self.loop, self._limits.linger_s)


def _is_utf8(parts: list[bytes]) -> bool:
    try:
        b"".join(parts).decode()
    except UnicodeDecodeError:
        return False
    return True
