"""Options of accepted sockets, and the ways to end a connection in bounded time.

Why: performance.md 7 (a reader that does not read holds megabytes in kernel buffers; an abort without a reset leaves
them there) and reliability.md 0.3 (nothing in ASGI frees a stalled subscriber).
"""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from handlers.serving.limits import ServingLimits

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TCP_INFO_BYTES = 256
_BYTES_ACKED = struct.Struct("=Q")
_BYTES_ACKED_OFFSET = 120  # struct tcp_info, Linux 4.1


class Ends(NamedTuple):
    """The two ends of a connection as ASGI has them: (address, port), or the path of a unix socket and None."""

    server: tuple[str, int | None] | None
    client: tuple[str, int] | None


def tune(transport: asyncio.Transport, limits: ServingLimits) -> Ends:
    """Bound what a connection holds and how long the kernel waits for a peer that acknowledges nothing; its ends."""
    transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
    with _borrowed(transport) as sock:
        _set_options(sock, limits)
        return Ends(_server(sock), _client(sock))


def taken_bytes(transport: asyncio.Transport) -> int:
    """A number that grows whenever the peer takes bytes: those acknowledged, or where the kernel does not tell (it is
    not Linux, or a unix socket) the write buffer counted downwards."""
    with _borrowed(transport) as sock:
        acked = _acked_bytes(sock)
    return acked if acked is not None else -transport.get_write_buffer_size()


@contextmanager
def _borrowed(transport: asyncio.Transport) -> Iterator[socket.socket]:
    """The socket of a transport. What uvloop gives in its place makes such a one for each call, at 10 us."""
    stand_in = transport.get_extra_info("socket")
    sock = socket.socket(stand_in.family, stand_in.type, stand_in.proto, fileno=stand_in.fileno())
    try:
        yield sock
    finally:
        sock.detach()


def _set_options(sock: socket.socket, limits: ServingLimits) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer_bytes)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.write_stall_s * 1000))


def _server(sock: socket.socket) -> tuple[str, int | None] | None:
    name = sock.getsockname()
    if isinstance(name, tuple):
        return name[0], name[1]
    return (name, None) if isinstance(name, str) else None


def _client(sock: socket.socket) -> tuple[str, int] | None:
    try:
        name = sock.getpeername()
    except OSError:  # gone already
        return None
    return (name[0], name[1]) if isinstance(name, tuple) else None


def _acked_bytes(sock: socket.socket) -> int | None:
    if not hasattr(socket, "TCP_INFO"):
        return None
    try:
        report = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return None
    if len(report) < _BYTES_ACKED_OFFSET + _BYTES_ACKED.size:
        return None
    return int(_BYTES_ACKED.unpack_from(report, _BYTES_ACKED_OFFSET)[0])


def abort(transport: asyncio.Transport) -> None:
    """End the connection now, with a reset, so that the kernel frees what it holds and the peer notices."""
    with suppress(OSError):  # closed already
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def close_after_answer(
    transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, linger_s: float
) -> asyncio.TimerHandle | None:
    """Close once the peer has had `linger_s` to read what was written; the timer, None when it is closed at once.

    A close with unread bytes in the receive buffer sends a reset, which may destroy the answer on its way. So the
    write side is closed and the caller goes on discarding what comes, until the peer closes or the timer fires.
    """
    if transport.is_closing():
        return None
    if not transport.can_write_eof():
        transport.close()
        return None
    transport.write_eof()
    return loop.call_later(linger_s, transport.close)
