"""Requests counted by route, method and status, and readers that are held open, by kind.

A route is named by its template, never by the path that was asked for, so there are as many as the server has.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple

from starlette.types import Scope

from broker.counts import Histogram

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
    _leavers: dict[Reader, Callable[[], None]] = field(init=False)

    def __post_init__(self) -> None:
        """Make what is called at the ends of readers."""
        self._leavers = {reader: partial(self._leave, reader) for reader in READERS}

    def answer(self, scope: Scope, status: int, seconds: float, reader: Reader | None) -> None:
        """An answer begins."""
        route = _route_of(scope)
        self.answers[Answered(_method_of(scope), route, status)] += 1
        if reader != "long_poll":
            if route not in self.seconds:
                self.seconds[route] = Histogram()
            self.seconds[route].observe(seconds)

    def enter(self, reader: Reader | None) -> None:
        """A reader comes, if it is one."""
        if reader is not None:
            self.open[reader] += 1

    def leaver(self, reader: Reader) -> Callable[[], None]:
        """What to call when it is gone; one and the same for all of a kind."""
        return self._leavers[reader]

    def _leave(self, reader: Reader) -> None:
        self.open[reader] -= 1


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
