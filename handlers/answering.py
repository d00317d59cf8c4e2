"""What every request passes: its id, its line in the log, its count, the headers of every answer, and an answer to
what should not happen.

One ASGI middleware for all of it: as four of them, each with a `send` of its own, and with Starlette's router behind,
they took a third of a publish's CPU time (527 us became 345, on a busy machine). What each part does is said in its
own module.
"""

from collections.abc import Awaitable
from random import getrandbits
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers import access_log, defects
from handlers.caching import has_credential
from handlers.metrics.requests import DEFECT, RequestCounts, reader_of
from handlers.serving.detach import at_end
from handlers.serving.refusals import Refusals
from handlers.serving.whole_answer import WHOLE
from handlers.standard_headers import PREFLIGHT_ANSWER, drop_range, is_preflight, standard_headers

STARTS = {
    WHOLE: None,
    "http.response.start": None,
    "websocket.http.response.start": None,
    "websocket.accept": 101,
    "websocket.close": 403,
}
"""Messages that begin an answer, and the status of those that do not say it."""


class Answering:
    """ASGI middleware, to be the outermost one."""

    def __init__(self, app: ASGIApp, refusals: Refusals, counts: RequestCounts) -> None:
        self._app = app
        self._refusals = refusals
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; note how the answer begins, and answer in the app's place where it fails before that."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        counts, refusals, begun = self._counts, self._refusals, perf_counter()
        request_id, reader = f"{getrandbits(64):016x}", reader_of(scope)
        scope["tidemark.request_id"] = request_id
        drop_range(scope)
        own = has_credential(scope)
        status = 0

        # Not a coroutine: it stands before every message.
        def answer(message: Message) -> Awaitable[None]:
            nonlocal status
            kind = message["type"]
            if status == 0 and kind in STARTS:
                status = STARTS[kind] or message["status"]
                if status >= 400:
                    refusals.count_answer(status)
                counts.answer(scope, status, perf_counter() - begun, reader)
                standard_headers(message, request_id, is_private=own)
            return send(message)

        counts.enter(reader)
        try:
            app = PREFLIGHT_ANSWER if is_preflight(scope) else self._app
            await app(scope, receive, answer)
        except Exception as error:
            if status == 0 and scope["type"] == "http":
                await defects.answer_defect(error, scope, receive, answer)
                return
            if status == 0:
                status = DEFECT
                counts.answer(scope, status, perf_counter() - begun, reader)
            raise
        finally:
            if reader is not None:
                at_end(scope, counts.leaver(reader))
            access_log.note(scope, status, request_id, begun)
