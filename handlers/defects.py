"""What should not happen: logged once, with the request, and answered with 500 where an answer is still possible."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.responses import error_answer

logger = logging.getLogger(__name__)


class Defects:
    """ASGI middleware, inside those that write headers and count: a 500 has them as every answer has.

    An answer that has begun breaks off, and a socket ends: that is the server's to do and to log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and answer in the app's place where it fails."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            if has_begun:
                raise
            logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
            await error_answer(scope, 500, "Internal Server Error")(scope, receive, send)
