"""Plain HTTP calls of the channels API, with the standard library: one call, one answer or one clear reason.

Unreachable  no answer: not there, broken off, or too late; whether a write was done is unknown
Refused      an answer that says no: its status, the server's words, and after how long to come back
"""

import http.client
import json
import os
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from handlers.client.server_url import ServerUrl

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 << 20
AGENT = "tidemark"
NOT_OURS = "The answer is not that of a Tidemark server"

Token = Callable[[], str | None]
"""Gives the token of the moment, None for a caller without one: tokens expire, clients go on."""


class Unreachable(Exception):
    """No answer came. The text names the server and the reason; `is_passing` tells whether it may come later."""

    def __init__(self, message: str, *, is_passing: bool = True) -> None:
        super().__init__(message)
        self.is_passing = is_passing


class Refused(Exception):
    """The server said no. `retry_after_s` is None where it named no time."""

    def __init__(self, status: int, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{message} ({status})")
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s

    @property
    def is_passing(self) -> bool:
        """Whether the same call may be answered otherwise a little later."""
        return self.status in (429, 502, 503, 504)


class Call(NamedTuple):
    """One request: a method, a path with its query, a JSON body, and further headers."""

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 - a default that nobody writes to


class Api:
    """The API of one server over a kept connection. Not for several threads.

    Every call here may be sent twice: reads and deletes by their nature, other writes by their Idempotency-Key.
    """

    def __init__(self, url: ServerUrl, token: Token, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self._token = token
        self._connection = _connection(url, timeout_s)

    def call(self, call: Call) -> Any:
        """The JSON of the answer, None where it has no body. Raises `Unreachable` and `Refused`."""
        is_kept = self._connection.sock is not None
        try:
            try:
                return self._exchange(call)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not is_kept:
                    raise
                # Between two calls the server may close a connection that nobody uses.
                self._connection.close()
                return self._exchange(call)
        except (OSError, http.client.HTTPException) as error:
            is_passing = not isinstance(error, ssl.SSLCertVerificationError)
            said = f"{self.url.origin} does not answer: {reason_of(error)}"
            raise Unreachable(said, is_passing=is_passing) from error

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _exchange(self, call: Call) -> Any:
        headers = {"User-Agent": AGENT, "Accept": "application/json", **call.headers}
        token = self._token()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._connection.request(call.method, call.path, call.body, headers)
            answer = self._connection.getresponse()
            body = answer.read(MAX_ANSWER_BYTES)
            if answer.length:
                raise http.client.IncompleteRead(body, answer.length)
        except BaseException:
            self._connection.close()
            raise
        return parse_answer(answer.status, body, answer.getheader("Retry-After"))


def parse_answer(status: int, body: bytes, retry_after: str | None = None) -> Any:
    """The JSON of an answer, None for an empty body; raises `Refused` where it is no success or no JSON."""
    if not 200 <= status < 300:
        raise Refused(status, _words(status, body), _seconds(retry_after))
    try:
        return json.loads(body) if body else None
    except ValueError:
        raise Refused(status, NOT_OURS) from None


def member(answer: Any, name: str) -> Any:
    """A member of an answer that has to be an object with it; raises `Refused`."""
    if not isinstance(answer, dict) or name not in answer:
        raise Refused(200, NOT_OURS)
    return answer[name]


def reason_of(error: BaseException) -> str:
    """What went wrong with a connection, in a few words."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno).lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _connection(url: ServerUrl, timeout_s: float) -> http.client.HTTPConnection:
    if url.is_secure:
        return http.client.HTTPSConnection(url.host, url.port, timeout=timeout_s, context=ssl.create_default_context())
    return http.client.HTTPConnection(url.host, url.port, timeout=timeout_s)


def _words(status: int, body: bytes) -> str:
    """The `error` of the envelope, or what the status means where somebody else answered."""
    try:
        words = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        words = None
    return words if isinstance(words, str) else http.client.responses.get(status, "The server refused")


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After; a date is as none."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdecimal() else None
