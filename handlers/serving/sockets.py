"""Options of accepted sockets, and the ways to end a connection in bounded time.

Why: performance.md 7 (a reader that does not read holds megabytes in kernel buffers; an abort without a reset leaves
them there) and reliability.md 0.3 (nothing in ASGI frees a stalled subscriber).
"""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any

from handlers.serving.limits import ServingLimits

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TCP_INFO_BYTES = 256
_BYTES_ACKED = struct.Struct("=Q")
_BYTES_ACKED_OFFSET = 120  # struct tcp_info, Linux 4.1


def tune(transport: asyncio.Transport, limits: ServingLimits) -> None:
    """Bound what a connection holds and how long the kernel waits for a peer that acknowledges nothing."""
    transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer_bytes)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(
            socket.IPPROTO_TCP,
            socket.TCP_USER_TIMEOUT,
            int(limits.write_stall_s * 1000),
        )


def taken_bytes(transport: asyncio.Transport) -> int:
    """A number that grows whenever the peer takes bytes: those acknowledged, or where the kernel does not tell (it is
    not Linux, or a unix socket) the write buffer counted downwards."""
    acked = _acked_bytes(transport.get_extra_info("socket"))
    return acked if acked is not None else -transport.get_write_buffer_size()


def _acked_bytes(sock: Any) -> int | None:
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
