"""`[server] admin_listen`: a listener of its own for administrators of this machine, who need no token there.

It has its own bounds, so metrics can be read while the server itself is full or being stopped. What a web page in a
browser of this machine can send here is refused: such requests have an Origin, or a Host that is some other name.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, State
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.errors import Forbidden, Refusal
from handlers import health
from handlers.admin import ADMIN
from handlers.defects import Defects
from handlers.listening import bind
from handlers.operations import routes_of
from handlers.responses import on_expected, refusal_answer
from handlers.serving.admission import Admission
from handlers.serving.drain import Drain
from handlers.serving.gate import Gate
from handlers.serving.limits import ServingLimits
from handlers.serving.refusals import Refusals
from handlers.serving.server import DrainingServer, build_config

logger = logging.getLogger(__name__)

START_POLL_S = 0.005
LIMITS = ServingLimits(connections=100, connections_per_address=100)


class LocalOnly:
    """ASGI middleware: refuses what does not come from a program of this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403."""
        if scope["type"] == "http" and not is_local(Headers(scope=scope)):
            refusal = Forbidden("The admin listener is for programs of this machine, not for web pages")
            await refusal_answer(refusal, scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_local(headers: Headers) -> bool:
    """Whether these are headers that no web page of elsewhere can make a browser send."""
    if "origin" in headers:
        return False
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def bind_admin(address: str) -> list[socket.socket]:
    """The sockets of an `admin_listen`, none where it is empty; raises `CannotListen`."""
    if not address:
        return []
    host, _, port = address.rpartition(":")
    return bind(host.strip("[]"), int(port))


@asynccontextmanager
async def serving_admin(state: State, sockets: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Serve administrators on bound sockets while the block runs; `state` is that of the app, with its broker."""
    if not sockets:
        yield
        return
    app = Starlette(
        routes=routes_of([*health.OPERATIONS, *ADMIN]),
        middleware=[Middleware(Defects), Middleware(LocalOnly)],
        exception_handlers={Refusal: on_expected, HTTPException: on_expected},
    )
    app.router.redirect_slashes = False
    app.state = state
    gate = Gate(LIMITS, Admission(LIMITS, asyncio.get_running_loop().time()), Refusals())
    server = DrainingServer(build_config(app, gate), gate, Drain())
    for each in sockets:
        each.listen()  # who connects before the task runs has to wait, and is not refused
    serving = asyncio.create_task(server.serve_on(list(sockets)), name="admin listener")
    serving.add_done_callback(_report_end)
    try:
        while not (server.started or serving.done()):  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(START_POLL_S)
        yield
    finally:
        server.should_exit = True
        try:
            await asyncio.wait([serving])
        finally:
            for each in sockets:
                each.close()


def _report_end(done: "asyncio.Task[None]") -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        logger.critical("the admin listener ended by a defect", exc_info=error)
