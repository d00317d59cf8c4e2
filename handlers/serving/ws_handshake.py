"""The opening handshake of a WebSocket, from the server's side (RFC 6455 4.2). Pure.

The head has passed `request_head` before. Extensions are not agreed to: compressing the same event anew for every
reader costs more than all the rest (performance.md 6).
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import NamedTuple

from websockets.exceptions import InvalidHeaderFormat
from websockets.headers import parse_subprotocol
from websockets.utils import accept_key

Headers = Sequence[tuple[bytes, bytes]]


class Handshake(NamedTuple):
    """What a client asked for: the answer to its key, and the subprotocols that it offers."""

    accept: str
    subprotocols: list[str]


class BadHandshake(Exception):
    """It is refused with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def parse_handshake(method: str, headers: Headers) -> Handshake:
    """Read a request that wants to become a WebSocket; header names are in lower case. Raises `BadHandshake`."""
    if method != "GET":
        raise BadHandshake(405, "A WebSocket handshake is a GET")
    if len(_all(headers, b"origin")) > 1:
        raise BadHandshake(400, "More than one Origin header")
    if any(name in (b"content-length", b"transfer-encoding") for name, _ in headers):
        raise BadHandshake(400, "A WebSocket handshake has no body")
    if _all(headers, b"sec-websocket-version") != [b"13"]:
        raise BadHandshake(400, "Sec-WebSocket-Version must be 13")
    return Handshake(accept_key(_key(headers)), _subprotocols(headers))


def render_accept(handshake: Handshake, subprotocol: str | None, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The 101 that opens the socket."""
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + handshake.accept.encode(),
        *(name + b": " + value for name, value in headers),
    ]
    if subprotocol is not None:
        lines.append(b"Sec-WebSocket-Protocol: " + subprotocol.encode())
    return b"\r\n".join([*lines, b"", b""])


def render_denial(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The app's own answer to a handshake that it refuses; the connection ends after it."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}".encode()]
    lines += [name + b": " + value for name, value in headers if name.lower() not in (b"content-length", b"connection")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"Connection: close", b"", body])


def _key(headers: Headers) -> str:
    keys = _all(headers, b"sec-websocket-key")
    try:
        if len(keys) == 1 and len(b64decode(keys[0], validate=True)) == 16:
            return keys[0].decode()
    except (Error, ValueError):
        pass
    raise BadHandshake(400, "Sec-WebSocket-Key must be 16 bytes in base64")


def _subprotocols(headers: Headers) -> list[str]:
    try:
        return [name for value in _all(headers, b"sec-websocket-protocol") for name in _parse_subprotocol(value)]
    except InvalidHeaderFormat:
        raise BadHandshake(400, "Malformed Sec-WebSocket-Protocol") from None


def _parse_subprotocol(value: bytes) -> list[str]:
    return [str(name) for name in parse_subprotocol(value.decode("latin-1"))]


def _all(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]
