"""`/channels/{c}/ws`: one channel on a WebSocket, one bare event per text frame (contract section 9 and 16).

Replay from `cursor`, then live, without a gap or a duplicate. Refusals come before the upgrade; afterwards a close code
says why, and its reason carries the cursor to resume from.
"""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from broker.closing import CURSOR_EXPIRED, Closed
from broker.errors import Forbidden, Refusal
from broker.subscription import Subscription
from handlers.beside import cancelled
from handlers.broker import broker_of
from handlers.channels.door import open_reading
from handlers.channels.endings import INTERNAL_ERROR, close_reason
from handlers.channels.following import Following, parse_following
from handlers.channels.socket_reader import SocketReader
from handlers.origins import is_allowed_origin
from handlers.responses import json_answer, refusal_answer
from handlers.serving.detach import detach_of
from handlers.serving.raw_text import raw_text_of
from handlers.serving.unblock import unblock_of

logger = logging.getLogger(__name__)


async def follow_on_socket(socket: WebSocket) -> None:
    """Serve one subscriber until either side ends."""
    try:
        if not is_allowed_origin(broker_of(socket).site, socket.headers):
            raise Forbidden("This Origin may not open sockets here")
        following = await parse_following(socket)
        await _serve(socket, following)
    except Refusal as refusal:
        await socket.send_denial_response(refusal_answer(refusal, socket.scope))


async def upgrade_required(_: Request) -> Response:
    """The answer to a plain GET: 426."""
    return json_answer({"error": "Expected WebSocket upgrade"}, 426, {"Upgrade": "websocket", "Connection": "Upgrade"})


async def _serve(socket: WebSocket, following: Following) -> None:
    broker, detach = broker_of(socket), detach_of(socket.scope)
    reading = await open_reading(broker, following.access, following.start, following.types)
    is_let_go = False
    try:
        await socket.accept()
        if following.gap_cursor is not None:
            await _close(socket, Closed(CURSOR_EXPIRED, following.gap_cursor))
        elif detach is not None:
            reader = SocketReader(reading, broker.refusals, detach)
            is_let_go = True
            reader.start()
        else:
            await _serve_here(socket, reading.subscription)
    except OSError:
        # The peer is gone already.
        return
    finally:
        if not is_let_go:
            reading.end()


async def _serve_here(socket: WebSocket, subscription: Subscription) -> None:
    """On a server whose sockets cannot be detached: by this coroutine, and a task that writes."""
    subscription.when_closing(unblock_of(socket.scope))
    writing = asyncio.create_task(_write(socket, subscription))
    try:
        await _until_disconnect(socket)
    finally:
        await cancelled(writing)


async def _write(socket: WebSocket, subscription: Subscription) -> None:
    try:
        while True:
            step = await subscription.next()
            await write_texts(socket, [event.wire for event in step.frames])
    except Closed as closed:
        await _close(socket, closed)
    except (WebSocketDisconnect, WebSocketDisconnected, OSError):
        # The peer is gone; the reading side ends the connection.
        return
    except Exception:
        logger.exception("a socket ended by a defect")
        await socket.close(INTERNAL_ERROR)


async def write_texts(socket: WebSocket, texts: list[bytes]) -> None:
    """Write texts, a frame each: as they are where the server can, else one by one. Raises as `send`, or OSError."""
    write = raw_text_of(socket.scope)
    if write is not None:
        await write(texts)
        return
    for text in texts:
        await socket.send({"type": "websocket.send", "text": text.decode()})


async def _until_disconnect(socket: WebSocket) -> None:
    """Drop what the client sends (contract 9: ignored) until it goes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _close(socket: WebSocket, closed: Closed) -> None:
    broker_of(socket).refusals.count_close(closed.code)
    await socket.close(closed.code, close_reason(closed))
