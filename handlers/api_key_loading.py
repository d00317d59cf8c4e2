"""API keys are learned before a request is looked at, so that checking a credential needs no waiting after that."""

from contextlib import suppress

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.errors import Refusal, Unauthorized
from handlers.responses import refusal_answer
from handlers.verifier import credential

API_KEY_HEADER = "x-api-key"
HEADERS = (b"authorization", API_KEY_HEADER.encode())
FORMS = (b"tm_", b"chr_")


class ApiKeyLoading:
    """ASGI middleware: has the verifier know the API keys that come with a request; 503 where that cannot be done."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Learn and pass on."""
        if scope["type"] in ("http", "websocket") and _may_have_one(scope):
            try:
                for text in credentials_of(scope):
                    await scope["app"].state.broker.auth.learn(text)
            except Refusal as refusal:
                await refusal_answer(refusal, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _may_have_one(scope: Scope) -> bool:
    """Whether it is worth to look closely; most requests have a channel token or nothing, and this is on their way."""
    texts = [value for name, value in scope["headers"] if name in HEADERS]
    if scope["query_string"]:
        texts.append(scope["query_string"])
    return any(form in text for text in texts for form in FORMS)


def credentials_of(scope: Scope) -> list[str]:
    """What may be an API key: of the header Authorization or of `?token=`, and of X-API-Key."""
    headers, found = Headers(scope=scope), []
    query = QueryParams(scope["query_string"]) if b"token=" in scope["query_string"] else QueryParams()
    with suppress(Unauthorized):
        found.append(credential(headers.get("authorization"), query.get("token")))
    return [*found, *headers.getlist(API_KEY_HEADER)]
