"""Calls to other people's servers: the only place that knows aiohttp (design section 5, reliability.md E "SSRF").

Each address is judged when its socket is made, whatever name, literal or redirect led there, so nothing can change
between check and connect. Redirects are not followed, proxies of the environment and cookies not used, answers not
decompressed. Time, headers and the kept part of a body are bounded. What comes of a call is data, never an exception.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from ipaddress import ip_address
from time import monotonic
from typing import Any, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from broker.addresses import Network, may_reach

KEPT_BYTES = 65_536
CONNECT_S = 10.0
RESOLVING_AT_ONCE = 64
IDLE_S = 2.0
"""How long a connection is kept for the next call: shorter than servers commonly do, or they close it under us."""


class Call(NamedTuple):
    """A request to make."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout_s: float = 15.0
    kept_bytes: int = KEPT_BYTES


class Answered(NamedTuple):
    """What came of a call: a status, or None and why there is none.

    `body` is its first `kept_bytes`, or as far as it came (`is_whole`: it is all of it): what was answered is known by
    then.
    """

    status: int | None
    error: str | None
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int
    is_whole: bool = True


class NotAllowed(OSError):
    """An address that may not be called."""


class Names(AbstractResolver):
    """The system's resolver, on threads of its own: names that do not answer hold up no other part of the process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING_AT_ONCE, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name; raises `OSError` where there are none."""
        ask = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [
            ResolveResult(
                hostname=host, host=str(place[0]), port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for kind, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        """Give the threads back, when they have their answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class WebClient:
    """Makes calls. `allow` are networks that may be reached besides public addresses."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, call: Call) -> Answered:
        """Make the call once, and answer what came of it."""
        begun = monotonic()
        try:
            status, headers, body, is_whole = await self._send(call)
        except aiohttp.ConnectionTimeoutError:
            return _failed(f"no connection within {CONNECT_S:g} s", begun)
        except TimeoutError:
            return _failed(f"no answer within {call.timeout_s:g} s", begun)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _failed(_reason(error), begun)
        return Answered(status, None, headers, body, _since(begun), is_whole)

    async def _send(self, call: Call) -> tuple[int, Mapping[str, str], bytes, bool]:
        async with asyncio.timeout(call.timeout_s) as deadline:
            # Encoded already: what was checked is what is sent.
            url = URL(call.url, encoded=True)
            request = self._session.request(
                call.method, url, headers=call.headers, data=call.body or None, allow_redirects=False
            )
            response = await request
        body = bytearray()
        async with response:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline.when()):
                    await _read(response.content, body, call.kept_bytes)
            is_whole = response.content.at_eof()
            if not is_whole:
                response.close()
        return response.status, response.headers, bytes(body), is_whole


@asynccontextmanager
async def open_client(
    allow: Sequence[Network], *, user_agent: str, resolver: AbstractResolver | None = None
) -> AsyncIterator[WebClient]:
    """A client for as long as the block runs; `resolver` instead of the system's."""

    def guarded(found: Any) -> socket.socket:
        family, kind, protocol, _, place = found
        if family not in (socket.AF_INET, socket.AF_INET6) or not may_reach(ip_address(place[0]), allow):
            raise NotAllowed(f"the address {place[0]} may not be called")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    names = resolver or Names()
    connector = aiohttp.TCPConnector(
        limit=0, socket_factory=guarded, keepalive_timeout=IDLE_S, resolver=names, use_dns_cache=False
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        auto_decompress=False,
        trust_env=False,
        max_line_size=8_190,
        max_field_size=8_190,
        max_headers=100,
    ) as session:
        try:
            yield WebClient(session)
        finally:
            await names.close()


async def _read(content: aiohttp.StreamReader, body: bytearray, most: int) -> None:
    while len(body) < most and (part := await content.read(most - len(body))):
        body += part


def _reason(error: Exception) -> str:
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, NotAllowed):
        return str(cause)
    text = str(cause) or type(cause).__name__
    return f"{type(error).__name__}: {text}"[:200]


def _failed(error: str, begun: float) -> Answered:
    return Answered(None, error, {}, b"", _since(begun))


def _since(begun: float) -> int:
    return round((monotonic() - begun) * 1000)
