"""The trusted keys in this process, kept as the engine has them (contract section 5, design section 3).

A key that was removed, here or by another process, ends within a second: its tokens verify no more and its open
connections are closed. A change made here is taken at once.
"""

import asyncio
import logging

from broker.errors import Refusal
from broker.trust import Document, own_key, trusted_from
from handlers.broker import Broker

TRUSTED_KEYS = "trusted-keys"
CHECK_S = 0.5

logger = logging.getLogger(__name__)


async def load_keys(broker: Broker) -> int:
    """Trust what the engine's document says, and judge every open connection by it; the document's version."""
    document, version = await broker.documents.load(TRUSTED_KEYS)
    trust(broker, document or [])
    return version


async def watch_keys(broker: Broker) -> None:
    """Look for another version of the document every half second, until cancelled.

    While the engine does not answer the keys stay as they are: then nothing can be read or written either.
    """
    known = -1
    while True:
        try:
            known = await _follow(broker, known)
        except Refusal as refusal:
            logger.warning("the trusted keys could not be read: %s", refusal.message)
        await asyncio.sleep(CHECK_S)


def trust(broker: Broker, document: Document) -> None:
    """From now on trust the keys of this document and the server's own, and no others."""
    own = broker.signing_key
    broker.verifier.replace_keys({own.kid: own_key(own.kid, own.public_x), **trusted_from(document)})
    broker.hub.judge_all()


async def _follow(broker: Broker, known: int) -> int:
    version = await broker.documents.version(TRUSTED_KEYS)
    return known if version == known else await load_keys(broker)
