"""What both faces share: the words of a request, its key, chance, and what the libraries' errors mean to the core."""

import inspect
import os
import random
import secrets
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.http11 import Response

from tidemark_client.answers import Answer, Call
from tidemark_client.errors import Gap
from tidemark_client.server_url import ServerUrl
from tidemark_client.steps import Open
from tidemark_client.timing import Timing

AGENT = "tidemark-client"
MAX_FRAME_BYTES = 4 << 20
PATIENCE_S = 60.0
BROKEN = (InvalidHandshake, OSError, EOFError)

Token = str | Callable[[], str | None] | None
"""A token, or what gives the one of the moment: tokens expire, clients go on. None for a caller without one."""

AsyncToken = str | Callable[[], Awaitable[str | None] | str | None] | None

OnGap = Callable[[Gap], None]
OnTrouble = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How a client reaches its server. `trust_env` takes proxies from the environment; `ssl_context` is for https."""

    url: ServerUrl
    timing: Timing = field(default_factory=Timing)
    trust_env: bool = False
    ssl_context: ssl.SSLContext | None = None

    @cached_property
    def context(self) -> ssl.SSLContext | None:
        """Made once, and only where there is TLS: it takes longer than most calls."""
        return (self.ssl_context or ssl.create_default_context()) if self.url.is_secure else None

    @property
    def http_options(self) -> dict[str, Any]:
        """Arguments of an HTTP client."""
        return {
            "base_url": self.url.origin,
            "trust_env": self.trust_env,
            "verify": self.context or False,
            "timeout": httpx2.Timeout(self.timing.answer_s),
            "headers": {"User-Agent": AGENT},
        }

    def socket_options(self, token: str | None) -> dict[str, Any]:
        """Arguments of a WebSocket. It does not ping: the core looks after its silence, alike in every language."""
        return {
            "additional_headers": bearer(token),
            "user_agent_header": AGENT,
            "proxy": True if self.trust_env else None,
            "ssl": self.context,
            "compression": None,
            "open_timeout": self.timing.open_s,
            "close_timeout": 1,
            "ping_interval": None,
            "max_size": MAX_FRAME_BYTES,
        }

    def path(self, call: Call | Open) -> str:
        """The path of a call or a connection, with its query."""
        return self.url.path(*call.path, **call.query)

    def timeout_of(self, call: Call) -> httpx2.Timeout:
        """How long its answer may take."""
        return httpx2.Timeout(self.timing.answer_s, read=self.timing.answer_s + call.wait_s)

    @property
    def stream_timeout(self) -> httpx2.Timeout:
        """How long the head of a stream may take."""
        return httpx2.Timeout(self.timing.open_s)

    def let_be_silent(self, stream: httpx2.Response) -> None:
        """From its head on a stream may be silent for longer: the server says something every 25 s."""
        stream.request.extensions["timeout"]["read"] = 2 * self.timing.silence_s


def new_key() -> str:
    """An Idempotency-Key."""
    return secrets.token_hex(16)


def chance() -> float:
    """A number from 0 to 1 for the core; no secret, only that not everybody comes back at once."""
    return random.random()


def headers_of(call: Call, token: str | None) -> dict[str, str]:
    """The headers of a call."""
    content = {} if call.body is None else {"Content-Type": "application/json"}
    return {"Accept": "application/json", **content, **call.headers, **bearer(token)}


def stream_headers(token: str | None) -> dict[str, str]:
    """The headers of a stream."""
    return {"Accept": "text/event-stream", "Accept-Encoding": "identity", **bearer(token)}


def bearer(token: str | None) -> dict[str, str]:
    """The header of a token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def is_renewable(token: AsyncToken) -> bool:
    """Whether there will be a new token when this one has expired."""
    return callable(token)


def token_of(token: Token) -> str | None:
    """The token of the moment."""
    return token() if callable(token) else token


async def async_token_of(token: AsyncToken) -> str | None:
    """The token of the moment, waited for where it has to be got."""
    given = token() if callable(token) else token
    return await given if inspect.isawaitable(given) else given


def answer_of(response: httpx2.Response) -> Answer:
    """An answer whose body was read."""
    return Answer(response.status_code, dict(response.headers), response.content)


def handshake_answer_of(response: Response) -> Answer:
    """The answer that refused a WebSocket."""
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    return Answer(response.status_code, headers, bytes(response.body or b""))


def is_stream(response: httpx2.Response) -> bool:
    """Whether this is the stream that was asked for."""
    return response.status_code == 200 and response.headers.get("content-type", "").startswith("text/event-stream")


def close_of(closed: ConnectionClosed) -> tuple[int | None, str]:
    """Code and reason of a WebSocket that ended; no code where it broke."""
    return (None, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


def says_of(url: ServerUrl, error: BaseException) -> tuple[str, bool]:
    """What went wrong with a connection, in words for people, and whether it may pass."""
    causes = list(_causes(error))
    untrusted = next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return f"{url.origin} cannot be trusted: {untrusted.verify_message}", False
    return f"{url.origin} does not answer: {_reason(causes)}", True


def _causes(error: BaseException) -> Iterable[BaseException]:
    seen: list[BaseException] = [error]
    for each in seen:
        inner: Sequence[BaseException | None] = (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            inner = (*inner, *each.exceptions)
        seen += [cause for cause in inner if cause is not None and cause not in seen]
    return seen


def _reason(causes: Sequence[BaseException]) -> str:
    for each in causes:
        if isinstance(each, TimeoutError | httpx2.TimeoutException):
            return "timed out"
        if isinstance(each, OSError) and each.errno and each.errno > 0:
            return os.strerror(each.errno).lower() if isinstance(each, ConnectionError) else str(each.strerror).lower()
    return str(causes[0]) or type(causes[0]).__name__
