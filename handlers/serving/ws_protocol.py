"""The protocol class of an open WebSocket, with bounds on all that its client does.

It is small, as most sockets only listen: while nothing comes in and no app runs, it holds a transport and a handful of
numbers (performance.md 3: 2.4 KB a connection, 25 with uvicorn's). It takes the connection over from `ws_asked`, where
the app has accepted it, and serves the app by `ws_app` until that returns or detaches; it reads by `ws_inbound`.
"""

import asyncio
from collections.abc import Callable
from enum import IntEnum

from uvicorn.server import ServerState
from websockets.frames import Close, CloseCode, Frame, Opcode

from handlers.serving.admission import Slot
from handlers.serving.detach import Detached, Listener
from handlers.serving.gate import Gate
from handlers.serving.limits import FrameLimits
from handlers.serving.refusals import Kind
from handlers.serving.sockets import abort, close_after_answer, taken_bytes
from handlers.serving.token_bucket import TokenBucket
from handlers.serving.ws_app import AppSide
from handlers.serving.ws_inbound import Fault, Inbound, Message, parse_close
from handlers.serving.ws_ping import PING_FRAME_BYTES, Ping


class Stage(IntEnum):
    """How far a socket is. `ENDING` reads nothing more: it only lets the last bytes arrive."""

    OPEN = 0
    CLOSING = 1
    ENDING = 2
    LOST = 3


class SocketProtocol(asyncio.Protocol):
    """One WebSocket. The app's side, the listener of a detached one, and the server call it."""

    __slots__ = (
        "_at_end",
        "_frame_limits",
        "_gate",
        "_inbound",
        "_listener",
        "_pace",
        "_ping",
        "_side",
        "_slot",
        "_state",
        "_taken_bytes",
        "_tick",
        "_timer",
        "is_full",
        "stage",
        "transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        gate: Gate,
        state: ServerState,
        slot: Slot | None,
        side: AppSide,
        frames: FrameLimits,
        answer: bytes,
    ) -> None:
        self.transport = transport
        self.stage = Stage.OPEN
        self.is_full = False
        self._gate = gate
        self._state = state
        self._slot = slot
        self._side: AppSide | None = side
        self._listener: Listener | None = None
        self._at_end: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._frame_limits = frames
        self._inbound: Inbound | None = None
        self._pace: TokenBucket | None = None
        self._ping: Ping | None = None
        # What the peer takes beyond it, but for pings, is events. An answer to a request before this one counts as such
        # once: the first ping is then a patient one. To ask the kernel here took 4 % of a handshake.
        self._taken_bytes = len(answer)
        transport.write(answer)
        state.connections.add(self)  # type: ignore[arg-type]
        self._tick = gate.heart.add(self, gate.limits.ping_interval_s)

    @property
    def is_open(self) -> bool:
        """Whether it is not closing."""
        return self.stage is Stage.OPEN and not self.transport.is_closing()

    @property
    def write(self) -> Callable[[bytes], object]:
        """Writes ready frames: the transport's own, as each step between costs something for every delivery."""
        return self.transport.write

    def close(self, code: int, reason: str) -> None:
        """Send a close; the peer has `close_wait_s` to answer it."""
        if self.stage is not Stage.OPEN:
            return
        self._send_close(code, reason)
        self.stage = Stage.CLOSING
        self._listener = None
        if self._side is not None:
            self._side.leave(code, reason)
        limits = self._gate.limits
        self._timer = asyncio.get_running_loop().call_later(limits.close_wait_s, self.transport.close)
        self.read_more()

    def detach(self, listener: Listener) -> Detached:
        """Go on without the app's coroutine: see `detach`."""
        self._listener = listener
        self._side = None
        self.read_more()
        return self

    def at_end(self, call: Callable[[], None]) -> bool:
        """Call this when the connection is lost; False where it is lost already."""
        if self.stage is Stage.LOST:
            return False
        self._at_end.append(call)
        return True

    def returned(self, code: int) -> None:
        """The app has ended: so does the socket."""
        if self.stage is Stage.OPEN:
            self._send_close(code, "")
            self._end()
        self._side = None

    def read_more(self) -> None:
        """The app has taken what was read for it."""
        if self.stage <= Stage.CLOSING and not self.transport.is_closing():
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back, and tell everybody."""
        was, self.stage = self.stage, Stage.LOST
        self._gate.count_loss(exc)
        self._state.connections.discard(self)
        if self._slot is not None:
            self._slot.leave()
        self._stop_timer()
        self._gate.heart.discard(self, self._tick)
        if was is Stage.OPEN:
            self._tell_end(CloseCode.ABNORMAL_CLOSURE, "")
        for call in self._at_end:
            call()
        self._at_end = []
        self._inbound = None

    def pause_writing(self) -> None:
        """Transport: the write buffer is full."""
        self.is_full = True
        if self._side is not None:
            self._side.full()
        elif self._listener is not None:
            self._listener.full()

    def resume_writing(self) -> None:
        """Transport: there is room again."""
        self.is_full = False
        if self._side is not None:
            self._side.room()
        elif self._listener is not None:
            self._listener.room()

    def data_received(self, data: bytes) -> None:
        """Read what the client sent."""
        if self.stage > Stage.CLOSING:
            return
        inbound = self._inbound or Inbound(self._frame_limits.message_bytes, self._allows)
        try:
            for message in inbound.feed(data):
                self._take(message)
                if self.stage > Stage.CLOSING:
                    return
        except Fault as fault:
            self._fail(fault)
            return
        self._inbound = None if inbound.is_between else inbound

    def shutdown(self) -> None:
        """The end of the drain: what the app has left open is closed with 1012."""
        if self.stage is Stage.OPEN:
            self._send_close(CloseCode.SERVICE_RESTART, "The server is restarting")
            self._tell_end(CloseCode.SERVICE_RESTART, "")
            self._end()

    def beat(self) -> None:
        """The heart: ping the peer, or see what came of the last ping."""
        if not self.is_open:
            return
        now_s = asyncio.get_running_loop().time()
        taken = taken_bytes(self.transport)
        if self._ping is None:
            self._ping = Ping(now_s, taken, had_events=taken > self._taken_bytes + PING_FRAME_BYTES)
            self._taken_bytes = taken
            self.transport.write(self._ping.frame())
            self._beat_in(self._gate.limits.pong_wait_s)
            return
        left_s = self._ping.patience_s(now_s, taken, self.transport.get_write_buffer_size(), self._gate.limits)
        if left_s > 0:
            self._beat_in(left_s)
        else:
            self._drop_silent()

    def _allows(self, frame: Frame) -> bool:
        """Whether the client may send one more frame; the pong that we asked for costs nothing."""
        if frame.opcode is Opcode.PONG and self._ping is not None and frame.data == self._ping.payload:
            return True
        now_s = asyncio.get_running_loop().time()
        if self._pace is None:
            self._pace = TokenBucket(self._frame_limits.per_min / 60, self._frame_limits.burst, now_s)
        return self._pace.take(now_s)

    def _take(self, message: Message) -> None:
        match message.opcode:
            case Opcode.PING:
                if self.stage is Stage.OPEN:
                    self.transport.write(Frame(Opcode.PONG, message.data).serialize(mask=False))
            case Opcode.PONG:
                self._take_pong(message.data)
            case Opcode.CLOSE:
                self._take_close(message.data)
            case _ if self._side is not None and self.stage is Stage.OPEN:
                content = {"bytes": message.data} if message.text is None else {"text": message.text}
                self._side.put({"type": "websocket.receive", **content})
                self.transport.pause_reading()

    def _take_pong(self, payload: bytes) -> None:
        ping = self._ping
        if ping is not None and payload == ping.payload:
            self._ping = None
            self._gate.heart.discard(self, self._tick)
            passed_s = asyncio.get_running_loop().time() - ping.sent_s
            self._beat_in(max(0.0, self._gate.limits.ping_interval_s - passed_s))

    def _take_close(self, data: bytes) -> None:
        close = parse_close(data)
        if self.stage is Stage.OPEN:
            frame = Frame(Opcode.CLOSE, close.serialize() if data else b"")
            self.transport.write(frame.serialize(mask=False))
            self._tell_end(close.code, close.reason)
        self.stage = Stage.ENDING
        self._stop_timer()
        self.transport.close()

    def _fail(self, fault: Fault) -> None:
        """Close with the code of the fault, in a way that lets it arrive; the app is told at once."""
        self._gate.refusals.count(fault.kind)
        if self.stage is Stage.OPEN:
            self._send_close(fault.code, fault.reason)
            self._tell_end(fault.code, fault.reason)
        self._end()

    def _drop_silent(self) -> None:
        self._gate.refusals.count(Kind.PONG_LATE)
        self._send_close(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        self._tell_end(CloseCode.ABNORMAL_CLOSURE, "")
        self.stage = Stage.ENDING
        if self.transport.get_write_buffer_size():
            abort(self.transport)
        else:
            self.transport.close()

    def _send_close(self, code: int, reason: str) -> None:
        self.transport.write(Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False))

    def _tell_end(self, code: int, reason: str) -> None:
        """The app receives a disconnect, the listener of a detached socket its end."""
        if self._side is not None:
            self._side.leave(code, reason)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.over()

    def _end(self) -> None:
        """Let what was written arrive, then close."""
        self.stage = Stage.ENDING
        self._inbound = None
        self._stop_timer()
        if not self.transport.is_closing():
            self.transport.resume_reading()
        loop = asyncio.get_running_loop()
        self._timer = close_after_answer(self.transport, loop, self._gate.limits.linger_s)

    def _beat_in(self, in_s: float) -> None:
        self._tick = self._gate.heart.add(self, in_s)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
