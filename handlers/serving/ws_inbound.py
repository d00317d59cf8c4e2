"""What a client sends on a socket: from bytes to messages, with every bound (RFC 6455 5 to 7; reliability.md F).

Frames are read by the parser of `websockets`; here is what it leaves to its users: fragments, UTF-8, sizes of whole
messages, the rate. One object lives from the first byte that came to the last frame's end: clients say little, and an
idle socket has none.
"""

from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import CTRL_OPCODES, Close, CloseCode, Frame, Opcode
from websockets.streams import StreamReader

from handlers.serving.refusals import Kind

CONTROL_BYTES = 125
"""What a control frame may hold (RFC 6455 5.5), also amid a message that has no room left."""


class Message(NamedTuple):
    """A whole message: `text` or `data`; or a control frame with its payload: `opcode` says which."""

    opcode: Opcode
    data: bytes
    text: str | None = None


class Fault(Exception):
    """The client broke a rule: the socket is closed with this code."""

    def __init__(self, kind: Kind, code: int, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.code = code
        self.reason = reason


class Inbound:
    """The bytes of a client that are not read in whole yet.

    `allows` is asked for every frame, also for parts of a message: each costs the same to read.
    """

    __slots__ = ("_allows", "_message_bytes", "_opcode", "_parsing", "_parts", "_reader", "_size")

    def __init__(self, message_bytes: int, allows: Callable[[Frame], bool]) -> None:
        self._message_bytes = message_bytes
        self._allows = allows
        self._reader = StreamReader()
        self._parsing: Generator[None, None, Frame] | None = None
        self._opcode: Opcode | None = None
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_between(self) -> bool:
        """Whether everything that came was given out: the object may be forgotten."""
        return self._opcode is None and not self._reader.buffer and self._parsing is None

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that these bytes complete, one by one; raises `Fault` at the first that breaks a rule."""
        self._reader.feed_data(data)
        while (frame := self._next()) is not None:
            if not self._allows(frame):
                raise Fault(Kind.FRAME_RATE, CloseCode.POLICY_VIOLATION, "too many messages")
            message = self._take(frame)
            if message is not None:
                yield message

    def _next(self) -> Frame | None:
        """The next whole frame, None while it is not there."""
        if self._parsing is None:
            if not self._reader.buffer:
                return None
            most = max(self._message_bytes - self._size, CONTROL_BYTES)
            self._parsing = Frame.parse(self._reader.read_exact, mask=True, max_size=most)
        try:
            next(self._parsing)
        except StopIteration as done:
            self._parsing = None
            frame: Frame = done.value
            return frame
        except PayloadTooBig as error:
            raise _too_large() from error
        except ProtocolError as error:
            raise Fault(Kind.FRAME_MALFORMED, CloseCode.PROTOCOL_ERROR, str(error)) from error
        return None

    def _take(self, frame: Frame) -> Message | None:
        if frame.opcode in CTRL_OPCODES:
            return Message(frame.opcode, bytes(frame.data))
        if (frame.opcode is Opcode.CONT) is (self._opcode is None):
            raise Fault(Kind.FRAME_MALFORMED, CloseCode.PROTOCOL_ERROR, "unexpected fragment")
        self._opcode = self._opcode or frame.opcode
        self._parts.append(bytes(frame.data))
        self._size += len(frame.data)
        if self._size > self._message_bytes:
            raise _too_large()
        return self._whole() if frame.fin else None

    def _whole(self) -> Message:
        opcode, data = self._opcode, b"".join(self._parts)
        self._opcode, self._parts, self._size = None, [], 0
        if opcode is Opcode.TEXT:
            return Message(Opcode.TEXT, data, _utf8(data))
        return Message(Opcode.BINARY, data)


def parse_close(data: bytes) -> Close:
    """The code and reason of a close frame (1005 for an empty one); raises `Fault`."""
    try:
        close = Close.parse(data)
    except UnicodeDecodeError as error:
        raise Fault(Kind.FRAME_MALFORMED, CloseCode.INVALID_DATA, "reason is no UTF-8") from error
    except ProtocolError as error:
        raise Fault(Kind.FRAME_MALFORMED, CloseCode.PROTOCOL_ERROR, str(error)) from error
    return close


def _too_large() -> Fault:
    return Fault(Kind.FRAME_TOO_LARGE, CloseCode.MESSAGE_TOO_BIG, "message too large")


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Fault(Kind.FRAME_MALFORMED, CloseCode.INVALID_DATA, "text is no UTF-8") from error
