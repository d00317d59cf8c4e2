"""uvicorn's HTTP protocol with bounds on what a client may send and how slowly (reliability.md 0.4, E, F).

What uvicorn 0.54 does not do and this class does: bounds of the head, time limits for head and body, Host rules, JSON
refusals, an end for unread bodies, admission of connections. The times are in `read_pace`, the rules in `request_head`.
`tests/handlers/serving/test_uvicorn_contract.py` names every internal that is relied on.
"""

import asyncio
import random
from typing import Any

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from handlers.serving import request_head
from handlers.serving.admission import Denied, Slot, retry_after_s
from handlers.serving.exchange import Exchange
from handlers.serving.exchanges import Exchanges
from handlers.serving.gate import Gate
from handlers.serving.held_flow import HeldFlow
from handlers.serving.http_scope import connection_scope, render_scope
from handlers.serving.read_pace import Phase, ReadPace
from handlers.serving.read_timer import ReadTimer
from handlers.serving.refusals import Kind, render_refusal
from handlers.serving.request_head import Refused
from handlers.serving.sockets import abort, close_after_answer, tune
from handlers.serving.unblock import unblock_extension
from handlers.serving.whole_answer import whole_extension
from handlers.serving.ws_asked import AskedProtocol

_PIECE_BYTES = 4_096


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection until it ends or becomes a WebSocket.

    A refusal is the last answer on its connection. It waits for the answers of earlier (pipelined) requests, and is
    not written at all where the refused request's own answer has begun. Pipelined requests are parsed one piece ahead;
    what lies behind is held as bytes, as a parsed request takes a hundred times its size.
    """

    def __init__(self, *args: Any, gate: Gate, entered: Slot | Denied | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self.flow: HeldFlow
        self._exchange: Exchange  # of the request that is being read
        self._scope: Scope
        self._gate = gate
        self._limits = gate.limits
        self._entered = entered  # before its TLS handshake
        self._slot: Slot | None = None
        self._pace = ReadPace(gate.limits, self.loop.time())
        self._read_timer = ReadTimer(self.loop, self._pace, lambda: self.flow.read_paused, self._refuse_late)
        self._linger_timer: asyncio.TimerHandle | None = None
        self._head_refusal: Refused | None = None
        self._unparsed_bytes = 0
        self._has_progress = False
        self._unanswered: Exchanges
        self._held = b""
        self._postponed_answer: bytes | None = None
        self._is_deaf = False
        self._is_last = False
        self._is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection, or answer 503 or 429 at once."""
        self.server_state.connections.add(self)
        self.transport, self.flow = transport, HeldFlow(transport)
        ends = tune(transport, self._limits)
        self._unanswered = Exchanges(
            self.app, self.server_state, self.flow, transport, self.on_response_complete, self._end_after_answer
        )
        scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        extensions = unblock_extension(self.flow.resume_writing) | whole_extension()
        self._connection = connection_scope(ends, scheme, self.root_path, self.app_state, extensions)
        entered = self._entered or self._gate.admission.enter(ends.client[0] if ends.client else None, self.loop.time())
        if isinstance(entered, Denied):
            self._deny(entered)
        else:
            self._slot = entered
            self._read_timer.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back and let go of the requests at once."""
        super().connection_lost(exc)
        self._gate.count_loss(exc)
        self._unanswered.abandon()
        self._read_timer.cancel()
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        if self._slot is not None:
            self._slot.leave()

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless a request already waits for its turn."""
        if not self._is_deaf:
            self._parse(self._held + data)

    def on_message_begin(self) -> None:
        """Parser: the first byte of a request line."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._pace.begin_head(self.loop.time())

    def on_headers_complete(self) -> None:
        """Parser: judge the head, and start the app unless this is to become a WebSocket."""
        self._has_progress = True
        version = self._check_head()
        if self.parser.should_upgrade():
            return  # the parser stops after this head: see _upgrade
        keep_alive = version != "1.0" and not self._is_last and self.parser.should_keep_alive()
        self._exchange = self._unanswered.add(
            self._scope, expects_continue=self.expect_100_continue, keep_alive=keep_alive
        )
        self._pace.begin_body(self.loop.time())
        # The parser reports trailers like headers; they must not appear in a scope that the app has already judged.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Parser: a part of a body."""
        self._has_progress = True
        self._pace.grow_body(len(body))
        if not self.parser.should_upgrade() and not self._exchange.response_complete:
            self._exchange.grow(body)

    def on_message_complete(self) -> None:
        """Parser: the request is there."""
        self._has_progress = True
        if self.parser.should_upgrade():
            return
        self._pace.end_request()
        self._exchange.end()

    def on_response_complete(self) -> None:
        """The app has answered one request: go on with what waits, or bound the rest of an unread body."""
        self._unanswered.end_first()
        if self._is_over or self.transport.is_closing():
            return
        self.flow.release()
        self._unanswered.go_on()
        if not self._is_deaf:
            self._parse(self._held)
        if self._postponed_answer is not None and not self._unanswered:
            self._answer_and_close(self._postponed_answer)
        elif self._pace.phase is Phase.BODY and not self._unanswered:
            self._leave_body_unread()

    def shutdown(self) -> None:
        """Drain: the request that is under way is the last one; an idle connection is closed."""
        self._is_last = True
        if self._is_over or (self._pace.phase is Phase.HEAD and not self._unanswered and not self._is_deaf):
            return
        if self._unanswered:
            self._unanswered.end_with_last()
        else:
            self.transport.close()

    def _parse(self, data: bytes) -> None:
        """Feed the parser in pieces no longer than a head may be, so that nothing unbounded builds up inside it."""
        self._held = b""
        for start in range(0, len(data), _PIECE_BYTES):
            if len(self._unanswered) > 1:
                self._held = data[start:]
                break
            end = start + _PIECE_BYTES
            self._feed(data[start:end], is_all=end >= len(data))
            if self._is_deaf:
                return
        if self._held:
            self.flow.hold()
        if self._pace.phase is Phase.NOTHING and not self._unanswered:
            self._pace.end_answers(self.loop.time())
        self._read_timer.watch()

    def _feed(self, piece: bytes, *, is_all: bool) -> None:
        self._has_progress = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as stop:
            self._upgrade(piece[stop.args[0] :], is_all=is_all)
            return
        except httptools.HttpParserError:
            self._refuse_malformed()
            return
        self._unparsed_bytes = 0 if self._has_progress else self._unparsed_bytes + len(piece)
        if self._pace.phase is not Phase.BODY:
            self._check_unfinished_head()
        elif self._unparsed_bytes > self._limits.head_bytes:
            self._refuse(request_head.too_large("Trailers or chunk extensions too large"))

    def _check_unfinished_head(self) -> None:
        if self._unparsed_bytes and self._pace.phase is not Phase.HEAD:
            self._pace.begin_head(self.loop.time())  # empty lines before a request line: allowed, not for ever
        if refused := request_head.find_too_long(len(self.url), self._unparsed_bytes, self._limits):
            self._refuse(refused)

    def _check_head(self) -> str:
        """Make the scope of a head that is allowed; its version."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        try:
            request_head.check_head(method, self.url, version, self.headers, self._limits)
        except Refused as refused:
            self._head_refusal = refused  # the parser replaces what a callback raises by an error of its own
            raise
        self._scope = render_scope(self._connection, method, self.url, version, self.headers)
        return version

    def _refuse_malformed(self) -> None:
        if self._pace.phase is Phase.BODY:
            self._refuse(request_head.malformed_body())
        else:
            self._refuse(self._head_refusal or request_head.malformed("Malformed request"))

    def _upgrade(self, rest: bytes, *, is_all: bool) -> None:
        if not self._should_upgrade() or self.parser.get_http_version() != "1.1":
            self._read_without_upgrade(rest, is_all=is_all)
        elif rest or not is_all or self._unanswered:
            self._refuse(request_head.malformed("A WebSocket handshake must come alone"))
        else:
            self.handle_websocket_upgrade()

    def _read_without_upgrade(self, rest: bytes, *, is_all: bool) -> None:
        # Java's client and `curl --http2` offer h2c on every request. The parser would drop the body; RFC 9110 7.8
        # wants the offer ignored, so the head is parsed again without it.
        version = self.parser.get_http_version()
        head = request_head.render_without_upgrade(self.parser.get_method(), self.url, version, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self._feed(head, is_all=False)
        if rest and not self._is_deaf:
            self._feed(rest, is_all=is_all)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection and its place over; this object is not called again."""
        self._is_deaf = True
        self._read_timer.cancel()
        self.server_state.connections.discard(self)
        slot, self._slot = self._slot, None
        asked = AskedProtocol(self.transport, self._gate, self.server_state, slot)
        due_s = self._pace.began_s + self._limits.handshake_s
        asked.ask(self.app, self._scope, due_s)

    def _refuse_late(self) -> None:
        if self._pace.phase is Phase.NEXT:
            self.transport.close()
        elif self._pace.phase is Phase.ANYTHING:
            self._gate.refusals.count(Kind.SILENT)
            self.transport.close()
        else:
            self._refuse(request_head.too_slow(is_body=self._pace.phase is Phase.BODY))

    def _refuse(self, refused: Refused) -> None:
        self._gate.refusals.count(refused.kind)
        self._is_deaf = True
        self._read_timer.cancel()
        answer = self._render(refused.status, refused.message)
        if self._pace.phase is Phase.BODY and (self._exchange.response_complete or not self._unanswered.give_up_last()):
            answer = b""
        if self._unanswered:
            self._postponed_answer = answer
            self.flow.pause_reading()
        else:
            self._answer_and_close(answer)

    def _leave_body_unread(self) -> None:
        if self.expect_100_continue:
            # Whether the body or a new request comes next is the client's choice, and cannot be told apart.
            self._answer_and_close(b"")
        else:
            self._pace.answer_early(self.loop.time())
            self._read_timer.watch()

    def _deny(self, denied: Denied) -> None:
        self._gate.refusals.count(denied.kind)
        self._slot = denied.slot
        if denied.slot is None:
            self._gate.refusals.count(Kind.DROPPED_UNANSWERED)
            abort(self.transport)
            return
        wait_s = retry_after_s(random.random())  # noqa: S311 - spreads load, guards nothing
        self._answer_and_close(self._render(denied.status, denied.message, retry_after_s=wait_s))

    def _render(self, status: int, message: str, retry_after_s: int | None = None) -> bytes:
        return render_refusal(status, message, self.server_state.default_headers, retry_after_s=retry_after_s)

    def _end_after_answer(self) -> None:
        """An exchange calls this: its answer was the last one, or broke off."""
        if self._is_over:
            return
        self._unanswered.break_off()
        self._answer_and_close(b"")

    def _answer_and_close(self, answer: bytes) -> None:
        self._is_deaf = self._is_over = True
        if self.transport.is_closing():
            return
        self._read_timer.cancel()
        self.flow.release()
        self.transport.write(answer)
        self._linger_timer = close_after_answer(self.transport, self.loop, self._limits.linger_s)
