"""An ASGI extension of the WebSocket protocol: ready texts become frames, and many of them one write.

Each `send` passes every middleware, the checks of Starlette and uvicorn and the framing; here all texts of a turn
take one step, and the frame of an event is made once for all sockets of this process. It waits for room as `send` does.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from websockets.frames import Frame, Opcode

WriteTexts = Callable[[Sequence[bytes]], Awaitable[None]]

AT_ONCE_BYTES = 16_384
"""So much, or one text that is longer, is written before there has to be room again."""

_KEPT_BYTES = 4_096
_NAME = "tidemark.raw_text"


def raw_text_extension(write: WriteTexts) -> dict[str, dict[object, object]]:
    """The entry for a scope's extensions."""
    return {_NAME: {"write": write}}


def raw_text_of(scope: Mapping[str, Any]) -> WriteTexts | None:
    """What a scope offers, to be called once the socket is accepted; None on a server without the extension.

    It raises OSError, as `send` does, when the peer is gone.
    """
    offered = scope.get("extensions", {}).get(_NAME)
    return None if offered is None else offered["write"]


def text_frame(text: bytes) -> bytes:
    """The WebSocket frame of a whole text, as a server sends it (RFC 6455 5.2)."""
    return _kept_frame(text) if len(text) <= _KEPT_BYTES else _frame(text)


def joined(texts: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Frames in writes of at most `AT_ONCE_BYTES` of texts, or one that is longer, each with its number of frames."""
    frames: list[bytes] = []
    total = 0
    for text in texts:
        if frames and total + len(text) > AT_ONCE_BYTES:
            yield b"".join(frames), len(frames)
            frames, total = [], 0
        frames.append(text_frame(text))
        total += len(text)
    if frames:
        yield frames[0] if len(frames) == 1 else b"".join(frames), len(frames)


def _frame(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)


_kept_frame = lru_cache(maxsize=1_024)(_frame)
