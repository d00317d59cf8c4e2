"""Small JSON documents with a version, changed optimistically: trusted keys, server identity, webhook endpoints.

Changes of one document take turns within a process, so that only other processes can be faster.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import orjson

from broker.channels import ChannelRecord
from broker.errors import NotFound, Unavailable
from broker.storage.channels import NO_CHANNEL, keys_of
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import document_key
from broker.storage.scripts import PUT_DOCUMENT

BUSY = "The document is being changed by others"
CHANGE_ATTEMPTS = 8
TURN_S = 5.0

Decide = Callable[[Any], Any]


class Documents:
    """The small documents of an engine. A document that was never written is None, at version 0."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Weak: a turn is forgotten when nobody has it or waits for it.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def load(self, name: str) -> tuple[Any, int]:
        """The named document of the server and its version."""
        return await self._load(self._server_key(name))

    async def version(self, name: str) -> int:
        """The version of the named document."""
        return int(await answered(self._engine.client.hget(self._server_key(name), "version")) or 0)

    async def change(self, name: str, decide: Decide) -> tuple[Any, int]:
        """Replace the named document by what `decide` makes of it; that, and its version.

        Raises what `decide` raises, with nothing written, and `Unavailable`.
        """
        key = self._server_key(name)
        return await self._change(key, key, decide)

    async def endpoints(self, channel: ChannelRecord) -> Any:
        """The webhook endpoints of a channel, None before the first."""
        return (await self._load(keys_of(channel).endpoints))[0]

    async def change_endpoints(self, channel: ChannelRecord, decide: Decide) -> Any:
        """Replace the endpoints of a channel; raises `NotFound` when the channel is gone."""
        keys = keys_of(channel)
        return (await self._change(keys.endpoints, keys.meta, decide))[0]

    def _server_key(self, name: str) -> str:
        return document_key(self._engine.partition(name), name)

    async def _load(self, key: str) -> tuple[Any, int]:
        document, version = await answered(self._engine.client.hmget(key, ("document", "version")))
        return (None, 0) if document is None else (orjson.loads(document), int(version))

    async def _change(self, key: str, must_exist: str, decide: Decide) -> tuple[Any, int]:
        async with self._turn(key):
            for _ in range(CHANGE_ATTEMPTS):
                document, version = await self._load(key)
                changed = decide(document)
                answer = await PUT_DOCUMENT(self._engine.client, [key, must_exist], [version, orjson.dumps(changed)])
                if answer == b"absent":
                    raise NotFound(NO_CHANNEL)
                if answer == b"ok":
                    return changed, version + 1
        raise Unavailable(BUSY, retry_after_s=1)

    @asynccontextmanager
    async def _turn(self, key: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(TURN_S):
                await turn.acquire()
        except TimeoutError:
            raise Unavailable(BUSY, retry_after_s=1) from None
        try:
            yield
        finally:
            turn.release()
