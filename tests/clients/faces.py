"""Both faces of the Python client behind one, so that each test holds both: the blocking one runs in a thread."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from tidemark_client import AsyncClient, AsyncFollower, Client, Event, Follower, Page, Timing

QUICK = Timing(first_s=0.02, longest_s=0.2, call_first_s=0.02, call_longest_s=0.2)
FACES = ("sync", "async")


class ThreadedFollower:
    """A blocking follower as an asynchronous one."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    @property
    def cursor(self) -> str | None:
        return self._follower.cursor

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await asyncio.to_thread(next, self._follower, None)
        if event is None:
            raise StopAsyncIteration
        return event

    async def begin(self) -> None:
        await asyncio.to_thread(self._follower.begin)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._follower.close)


class ThreadedClient:
    """A blocking client as an asynchronous one."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def publish(self, *words: Any, **options: Any) -> Event:
        return await asyncio.to_thread(self._client.publish, *words, **options)

    async def publish_batch(self, *words: Any, **options: Any) -> list[Event]:
        return await asyncio.to_thread(self._client.publish_batch, *words, **options)

    async def page(self, *words: Any, **options: Any) -> Page:
        return await asyncio.to_thread(self._client.page, *words, **options)

    async def request(self, *words: Any, **options: Any) -> Any:
        return await asyncio.to_thread(self._client.request, *words, **options)

    async def read(self, *words: Any, **options: Any) -> AsyncIterator[Event]:
        for event in await asyncio.to_thread(lambda: list(self._client.read(*words, **options))):
            yield event

    def follow(self, *words: Any, **options: Any) -> ThreadedFollower:
        return ThreadedFollower(self._client.follow(*words, **options))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._client.close)


AnyClient = ThreadedClient | AsyncClient
AnyFollower = ThreadedFollower | AsyncFollower


@asynccontextmanager
async def client_of(face: str, url: str, **options: Any) -> AsyncIterator[AnyClient]:
    """A client of this face, quick to come back."""
    given = {"timing": QUICK, **options}
    client: AnyClient = ThreadedClient(Client(url, **given)) if face == "sync" else AsyncClient(url, **given)
    try:
        yield client
    finally:
        await client.aclose()


async def take(follower: AnyFollower, count: int) -> list[Any]:
    """The data of the next events; then the follower is closed."""
    found: list[Any] = []
    try:
        async with asyncio.timeout(60):
            while len(found) < count:
                found.append((await anext(follower)).data)
    finally:
        await follower.aclose()
    return found
