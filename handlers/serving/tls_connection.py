"""A connection with TLS: admitted as one without, then its handshake in a bounded time, then what it carries.

The event loops' own TLS tells of a connection when its handshake is done, so that any number could be left halfway. It
also holds a second buffer that no bound sees, and cannot close one side. Here a connection takes its place first; one
that is to be refused shakes hands as well, as it could not read the answer otherwise; and all that waits for the peer
waits in the transport below.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from handlers.serving.admission import Denied, Slot
from handlers.serving.gate import Gate
from handlers.serving.http_protocol import BoundedHttpProtocol
from handlers.serving.refusals import Kind
from handlers.serving.sockets import abort, tune
from handlers.serving.tls import Tls
from handlers.serving.tls_session import TlsSession
from handlers.serving.tls_transport import TlsTransport


class TlsConnection(asyncio.Protocol):
    """One connection. Made of what uvicorn gives a `BoundedHttpProtocol`, which it carries after the handshake."""

    def __init__(self, *, server_state: ServerState, gate: Gate, tls: Tls, **given: Any) -> None:
        self.transport: asyncio.Transport
        self._make: Callable[[Slot | Denied], BoundedHttpProtocol] = lambda entered: BoundedHttpProtocol(
            server_state=server_state, gate=gate, entered=entered, **given
        )
        # Counted among the connections while it shakes hands, so that a stop neither forgets it nor waits for it.
        self._connections = cast("set[Any]", server_state.connections)
        self._gate = gate
        self._session = TlsSession(tls.context)
        self._context = tls.context
        self._entered: Slot | Denied | None = None
        self._upper: TlsTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the connection and begin the handshake; beyond all bounds, drop it."""
        self.transport = transport = cast("asyncio.Transport", transport)
        loop, peer = asyncio.get_running_loop(), get_remote_addr(transport)
        entered = self._gate.admission.enter(peer[0] if peer else None, loop.time())
        if isinstance(entered, Denied) and entered.slot is None:
            self._gate.refusals.count(entered.kind)
            self._gate.refusals.count(Kind.DROPPED_UNANSWERED)
            abort(transport)
            return
        self._entered = entered
        tune(transport, self._gate.limits)
        self._connections.add(self)
        self._timer = loop.call_later(self._gate.limits.handshake_s, self._fail)

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or hand up what came."""
        if self._upper is not None and self._upper.is_over:
            return
        try:
            said = self._session.receive(data)
        except ssl.SSLError:
            # Whatever a client sends is no defect.
            self._fail()
            return
        self.flush()
        if self._upper is None and self._session.is_shaken and self._entered is not None:
            self._upper = self._hand_over(self._entered)
        if self._upper is not None:
            self._upper.hand_up(said, is_last=self._session.is_ended)

    def eof_received(self) -> None:
        """The peer sends no more, whether it said so or not: HTTP and WebSockets know where their messages end."""
        if self._upper is not None:
            self._upper.hand_up(b"", is_last=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who took over; before that, give the place back."""
        self._leave_handshake()
        if self._upper is not None:
            self._upper.get_protocol().connection_lost(exc)
        elif self._entered is not None:
            slot = self._entered.slot if isinstance(self._entered, Denied) else self._entered
            if slot is not None:
                slot.leave()

    def pause_writing(self) -> None:
        """The peer takes no more for now."""
        if self._upper is not None:
            self._upper.get_protocol().pause_writing()

    def resume_writing(self) -> None:
        """The peer takes more."""
        if self._upper is not None:
            self._upper.get_protocol().resume_writing()

    def flush(self) -> None:
        """Write what TLS has for the peer."""
        if (outgoing := self._session.outgoing()) and not self.transport.is_closing():
            self.transport.write(outgoing)

    def shutdown(self) -> None:
        """The server is being stopped while this shakes hands: nobody new is let in."""
        if not self.transport.is_closing():
            abort(self.transport)

    def _hand_over(self, entered: Slot | Denied) -> TlsTransport:
        self._leave_handshake()
        upper = TlsTransport(self.transport, self._session, self._context, self.flush)
        protocol = self._make(entered)
        upper.set_protocol(protocol)
        protocol.connection_made(upper)
        return upper

    def _leave_handshake(self) -> None:
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def _fail(self) -> None:
        """The handshake came to nothing, or what follows it is no TLS: say so, and close."""
        if self._upper is None:
            self._gate.refusals.count(Kind.TLS_HANDSHAKE)
            self._leave_handshake()
        self.flush()
        self.transport.close()
