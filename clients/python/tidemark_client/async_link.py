"""The asyncio way to a server: its HTTP connections, and the token of the moment."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import httpx2

from tidemark_client.answers import Answer, Call
from tidemark_client.face import AsyncToken, Options, answer_of, async_token_of, headers_of, is_renewable
from tidemark_client.steps import Open


class AsyncLink:
    """What a client and its readers share. For one event loop."""

    def __init__(self, options: Options, token: AsyncToken) -> None:
        self.options = options
        self.is_renewable = is_renewable(token)
        self._token = token
        self._http = httpx2.AsyncClient(**options.http_options)

    async def token(self) -> str | None:
        """The token of the moment."""
        return await async_token_of(self._token)

    async def ask(self, call: Call) -> Answer:
        """Make a call; raises httpx2's `TransportError` where no answer came."""
        response = await self._http.request(
            call.method,
            self.options.path(call),
            content=call.body,
            headers=headers_of(call, await self.token()),
            timeout=self.options.timeout_of(call),
        )
        return answer_of(response)

    def stream(self, opened: Open, headers: Mapping[str, str]) -> AbstractAsyncContextManager[httpx2.Response]:
        """Begin a stream."""
        timeout = self.options.stream_timeout
        return self._http.stream("GET", self.options.path(opened), headers=headers, timeout=timeout)

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._http.aclose()
