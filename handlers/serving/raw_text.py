"""An ASGI extension of the WebSocket protocol: ready texts become frames, and many of them one write.

Each `send` passes every middleware, the checks of Starlette and the framing; here all texts of a turn take one step. It
waits for room as `send` does.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from struct import Struct
from typing import Any

WriteTexts = Callable[[Sequence[bytes]], Awaitable[None]]

AT_ONCE_BYTES = 16_384
"""So much, or one text that is longer, is written before there has to be room again."""

_WHOLE_TEXT = 0x81
_HEAD_16, _HEAD_64 = Struct("!BBH"), Struct("!BBQ")
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
    """The WebSocket frame of a whole text, as a server sends it."""
    return text_head(len(text)) + text


def text_head(size: int) -> bytes:
    """What stands before a whole text of so many bytes, as a server sends it: final, not masked (RFC 6455 5.2)."""
    if size < 126:
        return bytes((_WHOLE_TEXT, size))
    if size < 65_536:
        return _HEAD_16.pack(_WHOLE_TEXT, 126, size)
    return _HEAD_64.pack(_WHOLE_TEXT, 127, size)


def text_frames(texts: Iterable[bytes]) -> bytes:
    """The frames of whole texts, joined."""
    return b"".join(part for text in texts for part in (text_head(len(text)), text))


def joined(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Frames in writes of at most `AT_ONCE_BYTES` of texts, or one that is longer."""
    some: list[bytes] = []
    total = 0
    for text in texts:
        if some and total + len(text) > AT_ONCE_BYTES:
            yield text_frames(some)
            some, total = [], 0
        some.append(text)
        total += len(text)
    if some:
        yield text_frames(some)
