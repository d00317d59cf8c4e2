"""What should not happen: logged once, with the request, and answered with 500 where an answer is still possible.

An answer that has begun breaks off, and a socket ends: that is the server's to do and to log.
"""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.responses import error_answer

logger = logging.getLogger(__name__)


async def answer_defect(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Log it, and answer in the place of an app that failed before it began to."""
    logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
    await error_answer(scope, 500, "Internal Server Error")(scope, receive, send)


class Defects:
    """ASGI middleware, for an app that has nothing else before it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and answer in the app's place where it fails."""
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            if has_begun or scope["type"] != "http":
                raise
            await answer_defect(error, scope, receive, send)
