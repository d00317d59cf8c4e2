"""TLS of one connection as bytes in and bytes out: OpenSSL over memory. No transport, no loop, no clock."""

import ssl
from contextlib import suppress

_READ_BYTES = 65_536


class TlsSession:
    """The server's side. What is to be sent to the peer is taken with `outgoing`, after any other call.

    `is_shaken` tells that the handshake is done, `is_ended` that the peer said that it sends no more.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)
        self.is_shaken = False
        self.is_ended = False

    def receive(self, data: bytes) -> bytes:
        """What these bytes of the peer say, b"" before the handshake is done; raises `ssl.SSLError`."""
        self._in.write(data)
        parts: list[bytes] = []
        with suppress(ssl.SSLWantReadError):
            if not self.is_shaken:
                self.tls.do_handshake()
                self.is_shaken = True
            while part := self.tls.read(_READ_BYTES):
                parts.append(part)
            self.is_ended = True
        return b"".join(parts)

    def send(self, data: "bytes | bytearray | memoryview[int]") -> None:
        """Encrypt, after the handshake."""
        left = memoryview(data)
        while left:
            # A record at a time, whatever is given.
            left = left[self.tls.write(left) :]

    def end(self) -> None:
        """Say that nothing more is sent. What the peer sends from now on cannot be received."""
        if self.is_shaken:
            # It would wait for the peer to say the same.
            with suppress(ssl.SSLError):
                self.tls.unwrap()

    def outgoing(self) -> bytes:
        """The bytes for the peer."""
        return self._out.read()
