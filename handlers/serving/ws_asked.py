"""The protocol class of a WebSocket's handshake: the app is asked, and has a bounded time to answer.

It takes the connection over from our HTTP protocol, which has read the head, and ends with a refusal or with a
`SocketProtocol` in its place.
"""

import asyncio
from collections.abc import Sequence

from starlette.types import Scope
from uvicorn.server import ServerState
from websockets.frames import CloseCode

from handlers.serving.admission import Slot
from handlers.serving.gate import Gate
from handlers.serving.refusals import Kind, render_refusal
from handlers.serving.sockets import close_after_answer
from handlers.serving.ws_app import App, AppSide
from handlers.serving.ws_handshake import BadHandshake, Handshake, parse_handshake, render_accept, render_denial
from handlers.serving.ws_protocol import SocketProtocol

ASGI = {"version": "3.0", "spec_version": "2.4"}


class AskedProtocol(asyncio.Protocol):
    """One handshake. What is written while it lasts is one answer, so its write buffer needs no watching."""

    def __init__(self, transport: asyncio.Transport, gate: Gate, state: ServerState, slot: Slot | None) -> None:
        self.transport = transport
        self._gate = gate
        self._state = state
        self._slot = slot
        self._side: AppSide
        self._scope: Scope
        self._handshake: Handshake
        self._timer: asyncio.TimerHandle | None = None
        self._is_answered = False
        state.connections.add(self)  # type: ignore[arg-type]
        transport.set_protocol(self)

    def ask(self, app: App, scope: Scope, due_s: float) -> None:
        """Run the app by the head that was read into `scope`, or refuse it; an answer is due at `due_s` of the loop."""
        try:
            self._handshake = parse_handshake(scope.pop("method"), scope["headers"])
        except BadHandshake as bad:
            self.refuse(Kind.HANDSHAKE_MALFORMED, bad.status, bad.message)
            return
        self._begin(app, _socket_scope(scope, self._handshake), due_s)

    def accept(self, subprotocol: str | None, headers: Sequence[tuple[bytes, bytes]]) -> SocketProtocol:
        """Open the socket: from now on it is another protocol's."""
        self._stop_timer()
        transport = self.transport
        answer = render_accept(self._handshake, subprotocol, [*self._state.default_headers, *headers])
        self._state.connections.discard(self)
        frames = self._gate.limits.frames_of(self._scope["path"])
        opened = SocketProtocol(transport, self._gate, self._state, self._slot, self._side, frames, answer)
        transport.set_protocol(opened)
        return opened

    def deny(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """The app refuses."""
        standing = self._state.default_headers
        if body or headers:
            self._answer(render_denial(status, [*standing, *headers], body))
        else:
            self._answer(render_refusal(status, "Forbidden", standing))

    def refuse(self, kind: Kind, status: int, message: str) -> None:
        """The server refuses."""
        self._gate.refusals.count(kind)
        self._answer(self._render(status, message))

    def unanswered(self) -> None:
        """The app has ended without an answer."""
        self._answer(self._render(500, "Internal Server Error"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the app, and give the place back."""
        self._gate.count_loss(exc)
        self._state.connections.discard(self)
        self._stop_timer()
        self._is_answered = True
        if self._slot is not None:
            self._slot.leave()
        self._leave_app()

    def data_received(self, data: bytes) -> None:
        """Nothing may come before the answer; what comes after a refusal is discarded."""
        if not self._is_answered:
            self.refuse(Kind.HANDSHAKE_MALFORMED, 400, "Frames before the end of the handshake")

    def shutdown(self) -> None:
        """The end of the drain."""
        self._answer(self._render(503, "The server is restarting"))

    def _begin(self, app: App, scope: Scope, due_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._scope = scope
        self._side = AppSide(self, scope)
        self._timer = loop.call_at(due_s, self._end_late)
        task = loop.create_task(self._side.run(app))
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    def _end_late(self) -> None:
        self._timer = None
        self.refuse(Kind.HANDSHAKE_SLOW, 503, "The handshake was not answered in time")

    def _answer(self, answer: bytes) -> None:
        if self._is_answered:
            return
        self._is_answered = True
        self._stop_timer()
        if not self.transport.is_closing():
            self.transport.write(answer)
        self._leave_app()
        self._timer = close_after_answer(self.transport, asyncio.get_running_loop(), self._gate.limits.linger_s)

    def _leave_app(self) -> None:
        if hasattr(self, "_side"):
            self._side.leave(CloseCode.ABNORMAL_CLOSURE, "")

    def _render(self, status: int, message: str) -> bytes:
        return render_refusal(status, message, self._state.default_headers)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _socket_scope(scope: Scope, handshake: Handshake) -> Scope:
    """The scope of the request that was read, made one of a WebSocket."""
    scope["type"] = "websocket"
    scope["asgi"] = ASGI
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    scope["subprotocols"] = handshake.subprotocols
    return scope
