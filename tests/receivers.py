"""Receivers of webhooks for tests: real servers on 127.0.0.1 that note what they are sent, and answer as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The event that it brings."""
        event: dict[str, Any] = orjson.loads(self.body)
        return event

    @property
    def data(self) -> Any:
        """The data of that event."""
        return self.event["data"]


Answering = Callable[[Request], Awaitable[web.Response]]


async def accepting(_: Request) -> web.Response:
    """The answer of a receiver that takes everything."""
    return web.Response(text="ok")


@dataclass
class Receiver:
    """A receiver: `taken` are the requests that it answered with 2xx, in the order of the answers."""

    url: str = ""
    answer: Answering = accepting
    requests: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, raw: web.Request) -> web.Response:
        """Note a request, and answer it as told."""
        request = Request(raw.path, dict(raw.headers), await raw.read())
        self.requests.append(request)
        self.changed.set()
        response = await self.answer(request)
        if 200 <= response.status < 300:
            self.taken.append(request)
            self.changed.set()
        return response

    async def until(self, is_so: Callable[["Receiver"], bool], timeout_s: float = 10.0) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(timeout_s):
            while not is_so(self):
                self.changed.clear()
                await self.changed.wait()

    async def took(self, count: int, timeout_s: float = 10.0) -> list[Any]:
        """The data of what it took, once it took so many."""
        await self.until(lambda receiver: len(receiver.taken) >= count, timeout_s)
        return [each.data for each in self.taken]

    async def heard(self, count: int, timeout_s: float = 10.0) -> list[Request]:
        """What it was sent, once it was sent so much."""
        await self.until(lambda receiver: len(receiver.requests) >= count, timeout_s)
        return self.requests


@asynccontextmanager
async def receiving(answer: Answering = accepting) -> AsyncIterator[Receiver]:
    """A receiver for as long as the block runs."""
    receiver = Receiver(answer=answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def status(code: int, **headers: str) -> Answering:
    """The answer of a receiver that always says the same."""

    async def answer(_: Request) -> web.Response:
        return web.Response(status=code, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return answer
