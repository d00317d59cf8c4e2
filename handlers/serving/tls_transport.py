"""What the protocol of a connection with TLS sees: the transport below, whose bytes are encrypted."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from handlers.serving.tls_session import TlsSession


class TlsTransport(asyncio.Transport):
    """The transport of one connection after its handshake. All that waits for the peer waits in the one below.

    `is_over` tells that what the peer sends is of no interest any more.
    """

    def __init__(
        self, below: asyncio.Transport, session: TlsSession, context: ssl.SSLContext, flush: Callable[[], None]
    ) -> None:
        super().__init__()
        self._below = below
        self._session = session
        self._extra_of_tls = {"sslcontext": context, "ssl_object": session.tls}
        self._flush = flush
        self._protocol: Any = None
        self.is_over = False

    def hand_up(self, said: bytes, *, is_last: bool) -> None:
        """The peer said this, and perhaps that it says no more: then the connection is closed, as without TLS."""
        if said and not self._below.is_closing():
            self._protocol.data_received(said)
        if is_last and not self.is_over:
            self._protocol.eof_received()
            self.close()

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """Encrypt and write; after an end nothing is written."""
        if not self.is_over and data:
            self._session.send(data)
            self._flush()

    def can_write_eof(self) -> bool:
        """Whether `write_eof` does something."""
        return self._below.can_write_eof()

    def write_eof(self) -> None:
        """Say that nothing more comes. What the peer still sends is dropped until it closes."""
        self._end()
        self._below.write_eof()

    def close(self) -> None:
        """Write what waits, say that nothing more comes, and close."""
        self._end()
        self._below.close()

    def abort(self) -> None:
        """Close at once."""
        self.is_over = True
        self._below.abort()

    def is_closing(self) -> bool:
        """Whether it is closed or being closed."""
        return self._below.is_closing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Bound what is held for the peer."""
        self._below.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """The bytes that the peer has not taken from this process."""
        return self._below.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of TLS, and of the connection below."""
        return self._extra_of_tls.get(name) or self._below.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Hand up no more."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Hand up again."""
        self._below.resume_reading()

    def is_reading(self) -> bool:
        """Whether what comes is handed up."""
        return self._below.is_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand up to this protocol from now on."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """Whom it hands up to."""
        return self._protocol

    def _end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._session.end()
            self._flush()
