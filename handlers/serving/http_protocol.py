"""uvicorn's HTTP protocol with bounds on what a client may send and how slowly (reliability.md 0.4, E, F).

What uvicorn 0.54 does not do and this class does: bounds of the head, time limits for head and body, Host rules, JSON
refusals, an end for unread bodies, admission of connections. The times are in `read_pace`, the rules in `request_head`.
`tests/handlers/serving/test_uvicorn_contract.py` names every internal that is relied on.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from handlers.serving.admission import Denied, Slot, retry_after_s
from handlers.serving.gate import Gate
from handlers.serving.read_pace import Phase, ReadPace
from handlers.serving.read_timer import ReadTimer
from handlers.serving.refusals import Kind, render_refusal
from handlers.serving.request_head import (
    HeadRefused,
    check_head,
    malformed,
    target_too_long,
    too_large,
)
from handlers.serving.sockets import abort, close_after_answer, tune
from handlers.serving.ws_protocol import BoundedSocketProtocol


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection until it ends or becomes a WebSocket.

    A refusal is the last answer on its connection. It waits for the answers of earlier (pipelined) requests, and is
    not written at all where the refused request's own answer has begun.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        gate: Gate,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self._gate = gate
        self._limits = gate.limits
        self._slot: Slot | None = None
        self._is_lingering_denied = False
        self._pace = ReadPace(gate.limits, self.loop.time())
        self._read_timer = ReadTimer(self.loop, self._pace, lambda: self.flow.read_paused, self._refuse_late)
        self._linger_timer: asyncio.TimerHandle | None = None
        self._head_refusal: HeadRefused | None = None
        self._unparsed_bytes = 0
        self._has_progress = False
        self._unanswered = 0
        self._postponed_answer: bytes | None = None
        self._is_deaf = False
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection, or answer 503 or 429 at once."""
        super().connection_made(transport)
        tune(transport, self._limits)
        verdict = self._gate.admission.enter(self.client[0] if self.client else None, self.loop.time())
        if isinstance(verdict, Denied):
            self._deny(verdict)
        else:
            self._slot = verdict
            self._read_timer.watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back and let go of the request at once, also after a reset (uvicorn waits for a timer)."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._read_timer.cancel()
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        if self._slot is not None:
            self._slot.leave()
        if self._is_lingering_denied:
            self._gate.admission.end_lingering()

    def data_received(self, data: bytes) -> None:
        """Parse in pieces no longer than a head may be, so that nothing unbounded builds up inside the parser."""
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        for piece in _pieces(data, self._limits.head_bytes):
            self._feed(piece)
            if self._is_deaf:
                return
        self._read_timer.watch()

    def on_message_begin(self) -> None:
        """Parser: the first byte of a request line."""
        super().on_message_begin()
        self._pace.begin_head(self.loop.time())

    def on_headers_complete(self) -> None:
        """Parser: judge the head, and start the app unless this is to become a WebSocket."""
        self._has_progress = True
        self._check_head()
        if self.parser.should_upgrade():
            return  # the parser stops after this head: see _upgrade
        super().on_headers_complete()
        self._unanswered += 1
        self._pace.begin_body(self.loop.time())
        # The parser reports trailers like headers; they must not appear in a scope that the app has already judged.
        self.headers = []
        if self._is_last:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Parser: a part of a body."""
        self._has_progress = True
        self._pace.grow_body(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Parser: the request is there."""
        self._has_progress = True
        if self.parser.should_upgrade():
            return
        self._pace.end_request()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The app has answered one request: write a waiting refusal, bound the rest of an unread body."""
        super().on_response_complete()
        self._unanswered -= 1
        if self._unanswered or self.transport.is_closing():
            return
        if self._postponed_answer is not None:
            self._answer_and_close(self._postponed_answer)
        elif self._pace.phase is Phase.BODY:
            self._leave_body_unread()

    def shutdown(self) -> None:
        """Drain: the request that is under way is the last one; an idle connection is closed."""
        self._is_last = True
        if self._pace.phase is Phase.HEAD and not self._unanswered and not self._is_deaf:
            return
        super().shutdown()

    def _feed(self, piece: bytes) -> None:
        self._has_progress = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as stop:
            self._upgrade(piece[stop.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse_malformed()
            return
        self._unparsed_bytes = 0 if self._has_progress else self._unparsed_bytes + len(piece)
        if self._pace.phase is not Phase.BODY:
            self._check_unfinished_head()
        elif self._unparsed_bytes > self._limits.head_bytes:
            self._refuse(too_large("Trailers or chunk extensions too large"))

    def _check_unfinished_head(self) -> None:
        if self._pace.phase in (Phase.ANYTHING, Phase.NOTHING):
            if self._unparsed_bytes:  # empty lines before a request line: allowed, not for ever
                self._pace.begin_head(self.loop.time())
        elif len(self.url) > self._limits.head_line_bytes:
            self._refuse(target_too_long())
        if self._unparsed_bytes > self._limits.head_bytes and not self._is_deaf:
            self._refuse(too_large())

    def _check_head(self) -> None:
        try:
            check_head(
                self.parser.get_method(),
                self.url,
                self.parser.get_http_version(),
                self.headers,
                self._limits,
            )
        except HeadRefused as refused:
            self._head_refusal = refused  # the parser replaces what a callback raises by an error of its own
            raise

    def _refuse_malformed(self) -> None:
        if self._head_refusal is not None:
            self._refuse(self._head_refusal)
        elif self._pace.phase is Phase.BODY:
            self._refuse(HeadRefused(Kind.BODY_MALFORMED, 400, "Malformed request body"))
        else:
            self._refuse(malformed("Malformed request"))

    def _upgrade(self, rest: bytes) -> None:
        if not self._should_upgrade():
            self._read_without_upgrade(rest)
        elif rest or self._unanswered:
            self._refuse(malformed("A WebSocket handshake must come alone"))
        else:
            self.handle_websocket_upgrade()

    def _read_without_upgrade(self, rest: bytes) -> None:
        # Java's client and `curl --http2` offer h2c on every request. The parser would drop the body; RFC 9110 7.8
        # wants the offer ignored, so the head is parsed again without it.
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            if name not in (b"connection", b"upgrade", b"http2-settings"):
                head += [name, b": ", value, b"\r\n"]
        self.parser = httptools.HttpRequestParser(self)
        self._feed(b"".join([*head, b"\r\n"]))
        if rest and not self._is_deaf:
            self._feed(rest)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection and its place over; this object is not called again."""
        self._is_deaf = True
        self._read_timer.cancel()
        self.scope["method"] = self.parser.get_method().decode("ascii")
        super().handle_websocket_upgrade()
        socket_protocol = cast("BoundedSocketProtocol", self.transport.get_protocol())
        slot, self._slot = self._slot, None
        socket_protocol.adopt(slot, self._pace.began_s + self._limits.handshake_s)

    def _refuse_late(self) -> None:
        if self._pace.phase is Phase.ANYTHING:
            self._gate.refusals.count(Kind.SILENT)
            self.transport.close()
        elif self._pace.phase is Phase.HEAD:
            self._refuse(HeadRefused(Kind.HEAD_SLOW, 408, "Request head not received in time"))
        else:
            self._refuse(HeadRefused(Kind.BODY_SLOW, 408, "Request body not received in time"))

    def _refuse(self, refused: HeadRefused) -> None:
        self._gate.refusals.count(refused.kind)
        self._is_deaf = True
        self._read_timer.cancel()
        answer = render_refusal(refused.status, refused.message)
        if self._pace.phase is Phase.BODY and not self._give_up_request():
            answer = b""
        if self._unanswered:
            self._postponed_answer = answer
            self.flow.pause_reading()
        else:
            self._answer_and_close(answer)

    def _give_up_request(self) -> bool:
        """Tell the app that the client of the request being read is gone; whether an answer may still be written."""
        cycle = self.cycle
        if cycle.response_complete:
            return False
        self._unanswered -= 1
        self.pipeline = type(self.pipeline)(queued for queued in self.pipeline if queued[0] is not cycle)
        cycle.disconnected = True
        cycle.message_event.set()
        return not cycle.response_started

    def _leave_body_unread(self) -> None:
        if self.expect_100_continue:
            # Whether the body or a new request comes next is the client's choice, and cannot be told apart.
            self._is_deaf = True
            self._answer_and_close(b"")
        else:
            self._pace.answer_early(self.loop.time())
            self._read_timer.watch()

    def _deny(self, denied: Denied) -> None:
        self._gate.refusals.count(denied.kind)
        self._is_deaf = True
        if not self._gate.admission.begin_lingering():
            self._gate.refusals.count(Kind.DROPPED_UNANSWERED)
            abort(self.transport)
            return
        self._is_lingering_denied = True
        wait_s = retry_after_s(random.random())  # noqa: S311 - spreads load, guards nothing
        self._answer_and_close(render_refusal(denied.status, denied.message, retry_after_s=wait_s))

    def _answer_and_close(self, answer: bytes) -> None:
        if self.transport.is_closing():
            return
        self._read_timer.cancel()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.transport.write(answer)
        self._linger_timer = close_after_answer(self.transport, self.loop, self._limits.linger_s)


def _pieces(data: bytes, most_bytes: int) -> Iterator[bytes]:
    if len(data) <= most_bytes:
        yield data
        return
    for start in range(0, len(data), most_bytes):
        yield data[start : start + most_bytes]
