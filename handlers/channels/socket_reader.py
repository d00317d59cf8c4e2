"""One subscriber on a socket without a coroutine: what the hub has is written straight to the transport.

It joins a pump to a detached socket, and gives back what was held for the reader when either side ends.
"""

import logging
from collections.abc import Callable, Sequence

from broker.closing import Closed
from broker.events import Frame
from broker.pump import Pump
from handlers.channels.door import Reading
from handlers.channels.endings import INTERNAL_ERROR, close_reason
from handlers.serving.detach import Detached, Listener
from handlers.serving.raw_text import text_frames
from handlers.serving.refusals import Refusals

logger = logging.getLogger(__name__)


class SocketReader:
    """The listener of its socket and the sink of its pump."""

    __slots__ = ("_pump", "_reading", "_refusals", "_socket")

    def __init__(self, reading: Reading, refusals: Refusals, detach: Callable[[Listener], Detached]) -> None:
        self._reading = reading
        self._refusals = refusals
        self._socket = detach(self)
        self._pump = Pump(reading.subscription, frames_of_events, self)

    def start(self) -> None:
        """Write from now on, until either side ends."""
        self._pump.start()

    @property
    def is_full(self) -> bool:
        """Whether the socket has no room."""
        return self._socket.is_full

    @property
    def write(self) -> Callable[[bytes], object]:
        """Writes frames to the socket."""
        return self._socket.write

    def end(self, why: Closed | Exception) -> None:
        """The subscription ended: say why, and from where to resume."""
        if isinstance(why, Closed):
            self._refusals.count_close(why.code)
            self._socket.close(why.code, close_reason(why))
        else:
            logger.error("a socket ended by a defect", exc_info=why)
            self._socket.close(INTERNAL_ERROR, "internal error")
        self._reading.end()

    def full(self) -> None:
        """The socket's buffer is full."""
        self._pump.pause()

    def room(self) -> None:
        """There is room again."""
        self._pump.go()

    def over(self) -> None:
        """The peer is gone."""
        self._pump.stop()
        self._reading.end()


def frames_of_events(events: Sequence[Frame]) -> bytes:
    """The WebSocket frames of events, a text each, joined."""
    return text_frames([event.wire for event in events])
