"""API keys in this process: learned when they are first used, and ended within a second when they are revoked.

The log `system-auth` tells of every change of them (design section 3). When it says something new, the keys that are
known here are read again, and every open connection is judged anew.
"""

import asyncio

from broker.api_keys import id_of, is_api_key
from broker.cursors import LogMeta
from broker.errors import NotFound
from broker.hub import Hub
from broker.storage.api_keys import SYSTEM_AUTH, ApiKeys
from broker.storage.channels import Channels
from handlers.looking import look_forever
from handlers.verifier import Verifier

READ_AT_ONCE = 500


class AuthWatch:
    """Follows `system-auth` for the verifier and the open connections of one process."""

    def __init__(self, api_keys: ApiKeys, channels: Channels, verifier: Verifier, hub: Hub) -> None:
        self._api_keys = api_keys
        self._channels = channels
        self._verifier = verifier
        self._hub = hub
        self._seen: tuple[int, LogMeta] | None = None
        self._changes = 0
        self._looking = asyncio.Lock()

    async def learn(self, credential: str) -> None:
        """Have the verifier know this credential, if it is an API key; raises `Unavailable`."""
        if not is_api_key(credential):
            return
        await self.learn_id(id_of(credential))

    async def learn_id(self, key_id: str) -> None:
        """Have the verifier know the API key with this id, if there is one; raises `Unavailable`."""
        while not self._verifier.knows(key_id):
            changes = self._changes
            found = await self._api_keys.find([key_id])
            # What was read may be old when a change was noticed meanwhile: a revoked key must not come back.
            if changes == self._changes:
                self._verifier.take_keys(found)
                return

    async def look(self) -> None:
        """Read the known keys again, if the log says something new; raises `Unavailable`."""
        # One look at a time: what an older one has read must not be taken after what a newer one has.
        async with self._looking:
            told = await self._told()
            if told == self._seen:
                return
            self._changes += 1
            known = self._verifier.known_keys()
            for i in range(0, len(known), READ_AT_ONCE):
                some = known[i : i + READ_AT_ONCE]
                self._verifier.replace_api_keys(some, await self._api_keys.find(some))
            self._seen = told
            self._hub.judge_all()

    async def watch(self) -> None:
        """Look every half second, until cancelled; no defect ends it, as a revoked key would live on."""
        await look_forever(self.look, "the API keys could not be read")

    async def _told(self) -> tuple[int, LogMeta] | None:
        try:
            record = await self._channels.find(SYSTEM_AUTH.id)
            [meta] = await self._channels.check([record])
            if meta is None or meta.record_version != record.version:
                record = await self._channels.refresh(SYSTEM_AUTH.id)
                [meta] = await self._channels.check([record])
        except NotFound:
            return None
        return None if meta is None else (record.tag, meta)
