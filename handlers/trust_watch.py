"""The trusted keys in this process, kept as the engine has them (contract section 5, design section 3).

A key that was removed, here or by another process, ends within a second: its tokens verify no more and its open
connections are closed. A change made here is taken at once.
"""

from collections.abc import Callable

from broker.hub import Hub
from broker.signing import SigningKey
from broker.storage.documents import Documents
from broker.storage.scripts import Keep
from broker.trust import Document, own_key, trusted_from
from handlers.looking import look_forever
from handlers.verifier import Verifier

TRUSTED_KEYS = "trusted-keys"


class TrustWatch:
    """Follows the document of trusted keys for the verifier and the open connections of one process."""

    def __init__(self, documents: Documents, verifier: Verifier, hub: Hub, signing_key: SigningKey) -> None:
        self._documents = documents
        self._verifier = verifier
        self._hub = hub
        self._own = own_key(signing_key.kid, signing_key.public_x)
        # The version of the document that is trusted here; -1 before the first.
        self._version = -1

    async def document(self) -> Document:
        """The trusted keys beside the server's own, as the engine has them now."""
        document, _ = await self._documents.load(TRUSTED_KEYS)
        return document or []

    async def change(
        self, decide: Callable[[Document], Document], keep: Callable[[Document], Keep | None] = lambda _: None
    ) -> Document:
        """Replace the document by what `decide` makes of it, and trust it from now on; raises what `decide` raises.

        `keep` gives the answer to an Idempotency-Key that is kept in the same step; then it raises `Answered` too.
        """
        document: Document
        document, version = await self._documents.change(TRUSTED_KEYS, lambda known: decide(known or []), keep)
        # A later change made here may have been taken first; it has this one in it.
        if version > self._version:
            self._trust(document, version)
        return document

    async def look(self) -> None:
        """Trust what the engine's document says, if that is another than before; raises `Unavailable`."""
        while (seen := self._version) != await self._documents.version(TRUSTED_KEYS):
            document, version = await self._documents.load(TRUSTED_KEYS)
            # What was loaded is old when a change was made here meanwhile: a removed key must not come back.
            if self._version == seen:
                self._trust(document or [], version)

    async def watch(self) -> None:
        """Look every half second, until cancelled.

        While the engine does not answer the keys stay as they are: then nothing can be read or written either, but for
        channels of other nodes of a cluster; and no key can be removed meanwhile. No defect ends the watch, as a
        removed key would live on.
        """
        await look_forever(self.look, "the trusted keys could not be read")

    def _trust(self, document: Document, version: int) -> None:
        """From now on trust the keys of this document and the server's own, and no others."""
        self._verifier.replace_keys({**trusted_from(document), self._own.kid: self._own})
        self._version = version
        self._hub.judge_all()
