"""Small JSON documents of the server with a version, changed optimistically: trusted keys, identity, signing key.

Changes of one document take turns within a process, so that only other processes can be faster.
"""

from collections.abc import Callable
from typing import Any

import orjson

from broker.errors import Unavailable
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import document_key
from broker.storage.scripts import PUT_DOCUMENT, Keep
from broker.storage.turns import Turns

CHANGE_ATTEMPTS = 8

Decide = Callable[[Any], Any]


class Documents:
    """The small documents of an engine. A document that was never written is None, at version 0."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = Turns()

    async def load(self, name: str) -> tuple[Any, int]:
        """The named document and its version."""
        document, version = await answered(self._engine.client.hmget(self._key(name), ("document", "version")))
        return (None, 0) if document is None else (orjson.loads(document), int(version))

    async def version(self, name: str) -> int:
        """The version of the named document."""
        return int(await answered(self._engine.client.hget(self._key(name), "version")) or 0)

    def partition(self, name: str) -> int:
        """Where the named document lives."""
        return self._engine.partition(name)

    async def change(
        self, name: str, decide: Decide, keep: Callable[[Any], Keep | None] = lambda _: None
    ) -> tuple[Any, int]:
        """Replace the named document by what `decide` makes of it; that, and its version.

        `keep` gives the answer to an Idempotency-Key that is kept in the same step. Raises what `decide` raises, with
        nothing written, `Answered`, and `Unavailable`.
        """
        key = self._key(name)
        async with self._turns.of(key):
            for _ in range(CHANGE_ATTEMPTS):
                document, version = await self.load(name)
                changed = decide(document)
                words = [version, orjson.dumps(changed)]
                if await PUT_DOCUMENT.once(self._engine.client, [key], words, keep(changed)) == b"ok":
                    return changed, version + 1
        raise Unavailable("The document is being changed by others", retry_after_s=1)

    def _key(self, name: str) -> str:
        return document_key(self.partition(name), name)
