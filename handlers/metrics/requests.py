"""Requests counted by route, method and status, and readers that are held open, by kind.

A route is named by its template, never by the path that was asked for, so there are as many as the server has.
"""

from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Literal, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.counts import Histogram
from handlers.access_log import STARTS
from handlers.serving.detach import at_end

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
SOCKET, OTHER, NO_ROUTE = "SOCKET", "OTHER", "none"
"""The method of a WebSocket's handshake, any that no route has, and the route of requests that match none."""

Reader = Literal["socket", "stream", "long_poll"]
READERS: tuple[Reader, ...] = ("socket", "stream", "long_poll")
DEFECT = 500


class Answered(NamedTuple):
    """What requests are told apart by."""

    method: str
    route: str
    status: int


@dataclass(slots=True)
class RequestCounts:
    """Answers so far, the seconds until they began by route (without long polls), and the readers open now."""

    answers: Counter[Answered] = field(default_factory=Counter)
    seconds: dict[str, Histogram] = field(default_factory=dict)
    open: Counter[Reader] = field(default_factory=Counter)

    def answer(self, scope: Scope, status: int, seconds: float, reader: Reader | None) -> None:
        """An answer begins."""
        route = _route_of(scope)
        self.answers[Answered(_method_of(scope), route, status)] += 1
        if reader != "long_poll":
            self.seconds.setdefault(route, Histogram()).observe(seconds)

    def close(self, reader: Reader) -> None:
        """A reader is gone."""
        self.open[reader] -= 1


class CountRequests:
    """ASGI middleware, to be the outermost one."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts
        self._gone = {reader: partial(counts.close, reader) for reader in READERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count when the answer begins."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        counts, reader, begun = self._counts, reader_of(scope), perf_counter()
        is_answered = False

        # Not a coroutine: it stands before every frame of a socket that is sent this way.
        def send_counted(message: Message) -> Awaitable[None]:
            nonlocal is_answered
            if not is_answered and message["type"] in STARTS:
                is_answered = True
                status = STARTS[message["type"]] or message["status"]
                counts.answer(scope, status, perf_counter() - begun, reader)
            return send(message)

        if reader is not None:
            counts.open[reader] += 1
        try:
            await self._app(scope, receive, send_counted)
        except Exception:
            if not is_answered:
                counts.answer(scope, DEFECT, perf_counter() - begun, reader)
            raise
        finally:
            if reader is not None:
                at_end(scope, self._gone[reader])


def reader_of(scope: Scope) -> Reader | None:
    """What kind of held-open reader a request wants to be, None for others; known before a route is looked for."""
    if scope["type"] == "websocket":
        return "socket"
    path: str = scope["path"]
    if scope["method"] == "GET" and path.count("/") == 5:
        if path.endswith("/sse"):
            return "stream"
        if path.endswith("/events") and b"wait=" in scope["query_string"]:
            return "long_poll"
    return None


def _route_of(scope: Scope) -> str:
    route = scope.get("route")
    return NO_ROUTE if route is None else route.path


def _method_of(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return SOCKET
    method: str = scope["method"]
    return method if method in METHODS else OTHER
