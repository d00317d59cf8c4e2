"""API keys are learned before a request is looked at, so that checking a credential needs no waiting after that; and
how many requests came with one is counted (`[rates] requests_per_key_per_s`), over all processes."""

from contextlib import suppress

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.api_keys import id_of, is_api_key
from broker.errors import Refusal, Unauthorized
from broker.rates import Rate
from handlers.broker import Broker
from handlers.requests import may_have
from handlers.responses import refusal_answer
from handlers.serving.http_scope import first_headers
from handlers.verifier import credential

API_KEY_HEADER = "x-api-key"
TOKEN = ("token",)


class ApiKeyLoading:
    """ASGI middleware: has the verifier know the API keys that come with a request; 503 where that cannot be done.

    429 past the rate of a key. A key that nobody made is not counted: its request is refused anyway.
    """

    def __init__(self, app: ASGIApp, rate: Rate | None) -> None:
        self._app = app
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Learn and pass on."""
        if scope["type"] in ("http", "websocket") and _may_have_one(scope):
            try:
                for text in credentials_of(scope):
                    await self._learn(scope["app"].state.broker, text)
            except Refusal as refusal:
                await refusal_answer(refusal, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _learn(self, broker: Broker, text: str) -> None:
        await broker.auth.learn(text)
        if self._rate is not None and is_api_key(text) and broker.verifier.knows(id_of(text)):
            await broker.rate_limits.take("requests-per-key", id_of(text), self._rate)


def _may_have_one(scope: Scope) -> bool:
    """Whether it is worth to look closely; most requests have a channel token or nothing, and this is on their way."""
    headers = first_headers(scope)
    query: bytes = scope["query_string"]
    text = headers.get(b"authorization", b"") + b" " + query
    is_escaped = b"%" in query and may_have(query, TOKEN)
    return b"x-api-key" in headers or b"tm_" in text or b"chr_" in text or is_escaped


def credentials_of(scope: Scope) -> list[str]:
    """What may be an API key: of the header Authorization or of `?token=`, and of X-API-Key; each once."""
    headers, found = Headers(scope=scope), []
    query = QueryParams(scope["query_string"]) if may_have(scope["query_string"], TOKEN) else QueryParams()
    with suppress(Unauthorized):
        found.append(credential(headers.get("authorization"), query.get("token")))
    return list(dict.fromkeys([*found, *headers.getlist(API_KEY_HEADER)]))
