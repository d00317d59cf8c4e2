"""The exchanges of one connection that are not answered: one at a time is, pipelined ones wait behind it."""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.types import ASGIApp, Scope
from uvicorn.server import ServerState

from handlers.serving.exchange import Exchange
from handlers.serving.held_flow import HeldFlow


class Exchanges:
    """In the order of their requests; the first is being answered, by a task of the server's."""

    __slots__ = ("_app", "_flow", "_on_answered", "_on_last", "_state", "_transport", "_waiting")

    def __init__(
        self,
        app: ASGIApp,
        state: ServerState,
        flow: HeldFlow,
        transport: asyncio.Transport,
        on_answered: Callable[[], None],
        on_last: Callable[[], None],
    ) -> None:
        self._app = app
        self._state = state
        self._flow = flow
        self._transport = transport
        self._on_answered = on_answered
        self._on_last = on_last
        self._waiting: deque[Exchange] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, scope: Scope, *, expects_continue: bool, keep_alive: bool) -> Exchange:
        """Answer a request when its turn comes; while it waits, no more is read."""
        exchange = Exchange(
            scope,
            self._transport,
            self._flow,
            self._state.default_headers,
            expects_continue=expects_continue,
            keep_alive=keep_alive,
            on_answered=self._on_answered,
            on_last=self._on_last,
        )
        self._waiting.append(exchange)
        if len(self._waiting) == 1:
            self._answer(exchange)
        else:
            self._flow.pause_reading()
        return exchange

    def end_first(self) -> None:
        """The first is answered."""
        self._waiting.popleft()
        self._state.total_requests += 1

    def go_on(self) -> None:
        """Answer the next, if there is one."""
        if self._waiting:
            self._answer(self._waiting[0])

    def end_with_last(self) -> None:
        """The connection ends with the answer to the last one."""
        self._waiting[-1].keep_alive = False

    def break_off(self) -> None:
        """The answer to the first, unless it is there, is not written further."""
        if not self._waiting[0].response_complete:
            self._waiting[0].abandon()

    def give_up_last(self) -> bool:
        """Tell the app that the client of the last one is gone; whether an answer may still be written in its place."""
        last = self._waiting.pop()
        last.abandon()
        return not last.response_started

    def abandon(self) -> None:
        """The connection is lost."""
        for exchange in self._waiting:
            exchange.abandon()

    def _answer(self, exchange: Exchange) -> None:
        task = asyncio.get_running_loop().create_task(exchange.run(self._app))
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)
