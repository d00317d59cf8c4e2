"""The blocking way to a server: its HTTP connections, and the token of the moment."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

import httpx2

from tidemark_client.answers import Answer, Call
from tidemark_client.face import Options, Token, answer_of, headers_of, is_renewable, token_of
from tidemark_client.steps import Open


class Link:
    """What a client and its readers share. For several threads."""

    def __init__(self, options: Options, token: Token) -> None:
        self.options = options
        self.is_renewable = is_renewable(token)
        self._token = token
        self._http = httpx2.Client(**options.http_options)

    def token(self) -> str | None:
        """The token of the moment."""
        return token_of(self._token)

    def ask(self, call: Call) -> Answer:
        """Make a call; raises httpx2's `TransportError` where no answer came."""
        response = self._http.request(
            call.method,
            self.options.path(call),
            content=call.body,
            headers=headers_of(call, self.token()),
            timeout=self.options.timeout_of(call),
        )
        return answer_of(response)

    def stream(self, opened: Open, headers: Mapping[str, str]) -> AbstractContextManager[httpx2.Response]:
        """Begin a stream."""
        timeout = self.options.stream_timeout
        return self._http.stream("GET", self.options.path(opened), headers=headers, timeout=timeout)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()
