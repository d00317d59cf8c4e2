"""The WebSocket of `/api/v1/ws`: its handshake, what is read from it, and how a turn is written.

Three tasks: one reads commands into a bounded inbox, one executes them, one writes. What is written is decided by
`outgoing`; here each text becomes a frame.
"""

import asyncio
import logging
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from broker.errors import Forbidden, Refusal, Unavailable
from broker.scopes import Grant
from handlers.beside import cancelled
from handlers.broker import broker_of
from handlers.channels.multiplex.commands import parse_asked
from handlers.channels.multiplex.inbox import Inbox
from handlers.channels.multiplex.outgoing import Turn
from handlers.channels.multiplex.session import Session, open_session
from handlers.channels.socket import upgrade_required, write_texts
from handlers.origins import is_allowed_origin
from handlers.requests import query_text
from handlers.responses import refusal_answer
from handlers.serving.unblock import unblock_of

logger = logging.getLogger(__name__)


class Gone(Exception):
    """The peer is gone, or its connection is being closed."""


async def follow_many_on_socket(socket: WebSocket) -> None:
    """Serve one socket until either side ends; it is refused before the upgrade."""
    broker = broker_of(socket)
    try:
        if not is_allowed_origin(broker.site, socket.headers):
            raise Forbidden("This Origin may not open sockets here")
        if broker.is_draining():
            raise Unavailable("The server is restarting", retry_after_s=1)
        async with open_session(broker, _grant(socket), unblock_of(socket.scope)) as session:
            await socket.accept()
            await _serve(socket, session)
    except Refusal as refusal:
        await socket.send_denial_response(refusal_answer(refusal, socket.scope))


async def many_upgrade_required(request: Request) -> Response:
    """The answer to a plain GET: 426."""
    return await upgrade_required(request)


def _grant(socket: WebSocket) -> Grant | None:
    """Whose the socket is: nobody's without a credential. A bad one is refused, as its owner means to be somebody."""
    header, token = socket.headers.get("authorization"), query_text(socket, "token")
    if header is None and not token:
        return None
    return broker_of(socket).verifier.grant(header, token)


async def _serve(socket: WebSocket, session: Session) -> None:
    inbox = Inbox(broker_of(socket).limits.multiplex.in_flight)
    tasks = [
        asyncio.create_task(part, name=f"ws-{name}")
        for name, part in (
            ("read", _read(socket, inbox)),
            ("execute", _execute(session, inbox)),
            ("write", _write(socket, session)),
        )
    ]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(*tasks)
    for task in ended:
        if (error := task.exception()) is not None and not isinstance(error, Gone):
            logger.error("a socket ended by a defect", exc_info=error)
            with suppress(Gone):
                await _send(socket, {"type": "websocket.close", "code": 1011, "reason": "internal error"})


async def _read(socket: WebSocket, inbox: Inbox) -> None:
    limits = broker_of(socket).event_limits
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        await inbox.put(parse_asked(message.get("text"), limits))


async def _execute(session: Session, inbox: Inbox) -> None:
    while True:
        await session.execute(await inbox.take())


async def _write(socket: WebSocket, session: Session) -> None:
    while True:
        turn = await session.next_turn()
        await write_turn(socket, turn)
        if turn.close is not None:
            return


async def write_turn(socket: WebSocket, turn: Turn) -> None:
    """Write a turn's frames, and its close where it is the last one; raises `Gone`."""
    try:
        await write_texts(socket, turn.texts)
    except (WebSocketDisconnect, RuntimeError, OSError) as error:
        raise Gone from error
    if turn.close is not None:
        broker_of(socket).refusals.count_close(turn.close.code)
        await _send(socket, {"type": "websocket.close", "code": turn.close.code, "reason": turn.close.reason})


async def _send(socket: WebSocket, message: dict[str, object]) -> None:
    try:
        await socket.send(message)
    except (WebSocketDisconnect, RuntimeError, OSError) as error:
        raise Gone from error
