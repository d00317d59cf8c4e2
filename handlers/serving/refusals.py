"""What the edge refuses before the app is asked: the kinds, their count, and the bytes of the answer."""

from collections import Counter
from enum import StrEnum
from http import HTTPStatus

import orjson


class Kind(StrEnum):
    """Every kind of refusal at the edge; the values are the names under which they are counted."""

    CONNECTIONS_FULL = "connections_full"
    ADDRESS_FULL = "address_full"
    CONNECTION_RATE = "connection_rate"
    DROPPED_UNANSWERED = "dropped_unanswered"
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
    """Counts refusals by kind, from the start of the process."""

    def __init__(self) -> None:
        self._counts: Counter[Kind] = Counter()

    def count(self, kind: Kind) -> None:
        """One more of `kind`."""
        self._counts[kind] += 1

    def counts(self) -> dict[str, int]:
        """All kinds with their counts, also those that are zero."""
        return {kind.value: self._counts[kind] for kind in Kind}


def render_refusal(status: int, message: str, *, retry_after_s: int | None = None) -> bytes:
    """A whole HTTP/1.1 response with the body `{"error": message}` that ends the connection."""
    body = orjson.dumps({"error": message})
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if retry_after_s is not None:
        lines.append(f"Retry-After: {retry_after_s}")
    return "\r\n".join([*lines, "", ""]).encode() + body
