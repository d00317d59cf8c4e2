"""The ASGI side of one WebSocket: what the app receives and sends, until it returns or lets go of the socket.

It exists as long as the app's coroutine does. The bytes are the business of `ws_protocol`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from starlette.types import Scope
from websockets.frames import CloseCode, Frame, Opcode

from handlers.serving.detach import Detached, Listener, detach_extension
from handlers.serving.raw_text import joined, raw_text_extension, text_frame
from handlers.serving.unblock import unblock_extension

AsgiMessage = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

logger = logging.getLogger(__name__)


class ClientDisconnected(OSError):
    """What an app sends comes too late: its socket is closing or lost (ASGI: `send` raises an OSError)."""


class Asked(Protocol):
    """What the app's side needs of a handshake."""

    def accept(self, subprotocol: str | None, headers: Sequence[tuple[bytes, bytes]]) -> "Opened":
        """Open the socket."""
        ...

    def deny(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Refuse the handshake."""
        ...

    def unanswered(self) -> None:
        """The app has ended without an answer."""
        ...


class Opened(Protocol):
    """What the app's side needs of an open socket."""

    @property
    def is_open(self) -> bool:
        """Whether it is not closing."""
        ...

    @property
    def write(self) -> Callable[[bytes], object]:
        """Writes frames."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close it."""
        ...

    def detach(self, listener: Listener) -> Detached:
        """Let go of it."""
        ...

    def at_end(self, call: Callable[[], None]) -> bool:
        """Call this when the connection is lost; False where it is lost already."""
        ...

    def returned(self, code: int) -> None:
        """The app has ended; the socket is to be closed with this code if it is open."""
        ...

    def read_more(self) -> None:
        """The app has taken all that was read for it."""
        ...


class AppSide:
    """Runs the app for one socket. A message that does not fit raises RuntimeError, one to a closed socket OSError."""

    def __init__(self, asked: Asked, scope: Scope) -> None:
        self._scope = scope
        self._asked = asked
        self._opened: Opened | None = None
        self._inbox: deque[AsgiMessage] = deque([{"type": "websocket.connect"}])
        self._has_mail = asyncio.Event()
        self._has_mail.set()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._denial: AsgiMessage | None = None
        self._denial_body = b""
        self._is_gone = self._is_detached = False
        scope["extensions"] = {
            "websocket.http.response": {},
            **unblock_extension(self._has_room.set),
            **raw_text_extension(self.write_texts),
            **detach_extension(self._detach, self._at_end),
        }

    async def run(self, app: App) -> None:
        """Run it to its end; what it raises is logged."""
        code = CloseCode.NORMAL_CLOSURE
        try:
            await app(self._scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            logger.exception("a socket's app failed")
            code = CloseCode.INTERNAL_ERROR
        if self._opened is None:
            self._asked.unanswered()
        elif not self._is_detached:
            self._opened.returned(code)

    def put(self, message: AsgiMessage) -> None:
        """A message for the app."""
        if not self._is_gone:
            self._inbox.append(message)
            self._has_mail.set()

    def leave(self, code: int, reason: str) -> None:
        """The socket is lost or ends: the app is told, and what it sends from now on raises. The first code stays."""
        self.put({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._is_gone = True
        self._has_room.set()

    def full(self) -> None:
        """There is no room in the write buffer."""
        self._has_room.clear()

    def room(self) -> None:
        """There is room again."""
        self._has_room.set()

    async def receive(self) -> AsgiMessage:
        """The next message."""
        await self._has_mail.wait()
        message = self._inbox[0]
        # The last one is given again to whoever asks again.
        if message["type"] != "websocket.disconnect":
            self._inbox.popleft()
        if not self._inbox:
            self._has_mail.clear()
            if self._opened is not None:
                self._opened.read_more()
        return message

    async def send(self, message: AsgiMessage) -> None:
        """Take a message of the app."""
        if self._opened is None:
            self._answer(message)
            return
        await self._has_room.wait()
        opened = self._open_one()
        match message["type"]:
            case "websocket.send":
                opened.write(_data_frame(message))
            case "websocket.close":
                opened.close(message.get("code") or 1000, message.get("reason") or "")
            case other:
                raise RuntimeError(f"Unexpected ASGI message '{other}' on an open socket")

    async def write_texts(self, texts: Sequence[bytes]) -> None:
        """Write ready texts, a frame each, as there is room (see `raw_text`); raises `ClientDisconnected`."""
        for frames in joined(texts):
            await self._has_room.wait()
            self._open_one().write(frames)

    def _detach(self, listener: Listener) -> Detached:
        opened = self._open_one()
        self._is_detached = True
        return opened.detach(listener)

    def _at_end(self, call: Callable[[], None]) -> bool:
        return self._is_detached and self._opened is not None and self._opened.at_end(call)

    def _open_one(self) -> Opened:
        if self._is_gone or self._opened is None or not self._opened.is_open:
            raise ClientDisconnected
        return self._opened

    def _answer(self, message: AsgiMessage) -> None:
        if self._is_gone:
            raise ClientDisconnected
        match message["type"]:
            case "websocket.accept" if self._denial is None:
                self._opened = self._asked.accept(message.get("subprotocol"), list(message.get("headers", ())))
            case "websocket.close" if self._denial is None:
                self._asked.deny(403, (), b"")
            case "websocket.http.response.start" if self._denial is None:
                self._denial = message
            case "websocket.http.response.body" if self._denial is not None:
                self._denial_body += message.get("body", b"")
                if not message.get("more_body", False):
                    self._asked.deny(self._denial["status"], list(self._denial.get("headers", ())), self._denial_body)
            case other:
                raise RuntimeError(f"Unexpected ASGI message '{other}' in a handshake")


def _data_frame(message: AsgiMessage) -> bytes:
    text, data = message.get("text"), message.get("bytes")
    if text is not None:
        return text_frame(text.encode())
    return Frame(Opcode.BINARY, data or b"").serialize(mask=False)
