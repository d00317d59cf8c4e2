"""What the edge refuses before the app is asked: the kinds, their count, and the bytes of the answer."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from http import HTTPStatus

import orjson

ON_EVERY_REFUSAL = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
"""A page of another origin may read why it was refused, and no cache keeps it."""


class Kind(StrEnum):
    """Every kind of refusal at the edge; the values are the names under which they are counted."""

    CONNECTIONS_FULL = "connections_full"
    ADDRESS_FULL = "address_full"
    CONNECTION_RATE = "connection_rate"
    DROPPED_UNANSWERED = "dropped_unanswered"
    TLS_HANDSHAKE = "tls_handshake"
    HEAD_MALFORMED = "head_malformed"
    HEAD_TOO_LARGE = "head_too_large"
    TARGET_TOO_LONG = "target_too_long"
    HEAD_SLOW = "head_slow"
    SILENT = "silent"
    BODY_MALFORMED = "body_malformed"
    BODY_SLOW = "body_slow"
    HANDSHAKE_MALFORMED = "handshake_malformed"
    HANDSHAKE_SLOW = "handshake_slow"
    FRAME_MALFORMED = "frame_malformed"
    FRAME_TOO_LARGE = "frame_too_large"
    FRAME_RATE = "frame_rate"
    PONG_LATE = "pong_late"
    WRITE_STALL = "write_stall"


class Refusals:
    """Counts what was refused since the start: at the edge by kind, by the app by status and by close code."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, kind: Kind) -> None:
        """One more of `kind`."""
        self._counts[kind.value] += 1

    def count_answer(self, status: int) -> None:
        """The app has answered with an error."""
        self._counts[f"answer_{status}"] += 1

    def count_close(self, code: int) -> None:
        """The app has ended a socket or a stream that its reader would have kept open."""
        self._counts[f"close_{code}"] += 1

    def counts(self) -> dict[str, int]:
        """All kinds with their counts, also those that are zero, then `answer_<status>` and `close_<code>`."""
        return {**{kind.value: 0 for kind in Kind}, **self._counts}


def render_refusal(
    status: int, message: str, headers: Iterable[tuple[bytes, bytes]] = (), *, retry_after_s: int | None = None
) -> bytes:
    """A whole HTTP/1.1 response with the body `{"error": message}` that ends the connection.

    `headers` come first: those that the server gives to every answer, such as its Date.
    """
    body = orjson.dumps({"error": message})
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(),
        *(name + b": " + value for name, value in headers),
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        *(f"{name}: {value}".encode() for name, value in ON_EVERY_REFUSAL.items()),
        b"Connection: close",
    ]
    if retry_after_s is not None:
        lines.append(b"Retry-After: %d" % retry_after_s)
    return b"\r\n".join([*lines, b"", body])
