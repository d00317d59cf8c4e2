"""The trusted keys in a process, while several change them at once."""

import asyncio

from broker.errors import Unauthorized
from broker.storage.documents import Documents
from broker.trust import Document, add_key, parse_key, remove_key
from handlers.trust_watch import TRUSTED_KEYS
from tests.broker.forge import forge, key_of
from tests.broker_server import BrokerServer

PARTNER = key_of("partner", 3)
FOREIGN = key_of("foreign", 4)
AT = "2026-11-24T12:00:00.000Z"


async def test_what_was_changed_here_is_never_undone_by_an_older_look(broker_server: BrokerServer) -> None:
    broker = broker_server.broker
    elsewhere = Documents(broker.engine)
    own = broker.signing_key.kid

    def flip(document: Document, kid: str, x: str) -> Document:
        if any(row["kid"] == kid for row in document):
            return remove_key(document, kid, signed_by=own, own_kid=own)
        return add_key(document, parse_key({"kid": kid, "x": x}), AT, own)

    def is_trusted() -> bool:
        try:
            return bool(broker.verifier.grant_of(forge({"scopes": ["sub:a"]}, PARTNER)))
        except Unauthorized:
            return False

    async def change_here() -> None:
        document = await broker.trust.change(lambda document: flip(document, "partner", PARTNER.x))
        expected = any(row["kid"] == "partner" for row in document)
        for _ in range(5):
            assert is_trusted() is expected
            await asyncio.sleep(0)

    for _ in range(200):
        await elsewhere.change(TRUSTED_KEYS, lambda document: flip(document or [], "foreign", FOREIGN.x))
        await asyncio.gather(broker.trust.look(), change_here(), *(broker.trust.look() for _ in range(6)))
