"""What uvicorn's HTTP cycle sees of the transport: reading that stays paused, a close that lets the answer arrive."""

import asyncio
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class HeldFlow(FlowControl):
    """uvicorn's flow control, whose reading stays paused while it is held, whoever wants to go on."""

    _is_held = False

    def hold(self) -> None:
        """Read no more: what was read already waits for its turn."""
        self._is_held = True
        self.pause_reading()

    def release(self) -> None:
        """Read on."""
        self._is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        """Read on, unless held."""
        if not self._is_held:
            super().resume_reading()


class AnswerTransport:
    """The transport of one answer; closing it is left to the protocol, so that the client can read the answer first."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


def answer_transport(transport: asyncio.Transport, close: Callable[[], None]) -> asyncio.Transport:
    """An `AnswerTransport`, as what uvicorn's cycle takes it for: it writes, closes, and asks whether it is closing."""
    return cast("asyncio.Transport", AnswerTransport(transport, close))


def abandon(cycle: RequestResponseCycle) -> None:
    """Let the app that answers this request find that its client is gone."""
    cycle.disconnected = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
