"""API keys in the engine: made, found, listed, revoked (design section 3).

A key's document lives in its tenant's partition, whose number the key itself carries. Making and revoking one is told
on the log `system-auth`, which every process watches: so a revoked key ends in all of them within a second.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from broker.api_keys import (
    LETTERS,
    SECRET_LETTERS,
    ApiKey,
    KeyRequest,
    make_key,
    newest_first,
    parse_stored,
    place_of,
    render_stored,
)
from broker.change import Answer, Change, DocumentKey, Entry, Put, emit
from broker.channels import DAY_MS, NewChannel
from broker.errors import Conflict, NotFound
from broker.idempotency import IdempotencyKey
from broker.ids import render_time
from broker.storage.commit import Commits, Committed
from broker.storage.engine import Engine
from broker.storage.state import Loaded, Reader

KIND = "api-key"
ALL_KEYS = "api-keys"
SYSTEM_AUTH = NewChannel("system-auth", "Keys", config={"storage": {"retention_days": 365}})
PUBLISHER = "system-auth"
SCHEMA = 1
MOST_KEYS = 1_000
"""How many keys a tenant may have."""

REVOKED_DAYS = 30
"""How long a revoked key is still listed."""

NO_KEY = "API key not found"


class ApiKeys:
    """The API keys of all tenants."""

    def __init__(self, engine: Engine, reader: Reader, commits: Commits) -> None:
        self._engine = engine
        self._reader = reader
        self._commits = commits

    async def create(self, request: KeyRequest) -> tuple[str, ApiKey]:
        """A new key: its text, kept nowhere, and what is kept of it. Raises `Conflict`, `Unavailable`."""
        text, key = self.draw(request, await self._engine.now_ms())
        await self.write(key)
        return text, key

    def draw(self, request: KeyRequest, now_ms: int) -> tuple[str, ApiKey]:
        """A new key that is not written yet."""
        letters = "".join(secrets.choice(LETTERS) for _ in range(SECRET_LETTERS))
        return make_key(request, self._engine.partition(request.tenant), letters, now_ms)

    async def write(
        self, key: ApiKey, *, idempotency: IdempotencyKey | None = None, answer: Answer | None = None
    ) -> Committed:
        """Write a new key, with the answer to an Idempotency-Key; raises `Conflict` for a tenant with too many."""
        place = _document(key.id)
        page = await self._reader.page(self._engine.partition(key.tenant), KIND, _index(key.tenant), limit=1)
        if page.total >= MOST_KEYS:
            raise Conflict(f"A tenant has at most {MOST_KEYS} keys: revoke some first")

        def decide(_: Loaded) -> Change:
            return Change((Put(place, 0, render_stored(key), _entries(key)),), answer=answer)

        committed = await self._commits.execute(key.tenant, [place], decide, key=idempotency)
        if not committed.is_replayed:
            await self._tell(key, None)
        return committed

    async def find(self, key_ids: Sequence[str]) -> dict[str, ApiKey]:
        """Those of these keys that there are, also revoked ones, by their ids. Raises `Unavailable`."""
        wanted: dict[int, list[str]] = {}
        for key_id in key_ids:
            place = place_of(key_id)
            if place is not None and place[0] < self._engine.partitions:
                wanted.setdefault(place[0], []).append(key_id)
        found: dict[str, ApiKey] = {}
        for partition, ids in wanted.items():
            loaded = (await self._reader.read(partition, [_document(each) for each in ids])).loaded
            keys = [parse_stored(each.body) for each in loaded.documents.values() if each]
            found |= {key.id: key for key in keys}
        return found

    async def list(self, tenant: str | None) -> list[ApiKey]:
        """The keys of a tenant, or of all of them, newest first; revoked ones for a while. Raises `Unavailable`."""
        every = range(self._engine.partitions)
        places = [(number, ALL_KEYS) for number in every]
        if tenant is not None:
            places = [(self._engine.partition(tenant), _index(tenant))]
        keys: list[ApiKey] = []
        for partition, index in places:
            skip, total = 0, 1
            while skip < total:
                page = await self._reader.page(partition, KIND, index, skip=skip, limit=500)
                keys += [parse_stored(document.body) for _, document in page.documents]
                skip, total = skip + 500, page.total
        return newest_first(keys)

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key, in all processes within a second; doing it again changes nothing. Raises `NotFound`."""
        known = (await self.find([key_id])).get(key_id)
        if known is None:
            raise NotFound(NO_KEY)
        place, revoked = _document(key_id), known

        def decide(loaded: Loaded) -> Change:
            nonlocal revoked
            document = loaded.documents[place]
            if document is None:
                raise NotFound(NO_KEY)
            key = parse_stored(document.body)
            revoked = key if key.revoked_ms is not None else replace(key, revoked_ms=loaded.now_ms)
            if key.revoked_ms is not None:
                return Change()
            ends_ms = loaded.now_ms + REVOKED_DAYS * DAY_MS
            return Change((Put(place, document.version, render_stored(revoked), _entries(revoked), ends_ms),))

        await self._commits.execute(known.tenant, [place], decide)
        # Told again when it is repeated: whoever died before telling it is made good so.
        await self._tell(revoked, "active")
        return revoked

    async def _tell(self, key: ApiKey, previous: str | None) -> None:
        is_active = key.revoked_ms is None
        data = {
            "schema": SCHEMA,
            "subject": key.id,
            "version": 1 if is_active else 2,
            "occurred_at": render_time(key.created_ms if key.revoked_ms is None else key.revoked_ms),
            "status": "active" if is_active else "revoked",
            "previous_status": previous,
            "cause": "api",
            "tenant": key.tenant,
            "scopes": key.apis,
            "agent": key.agent,
        }
        event = emit(SYSTEM_AUTH.id, f"system.key.{'created' if is_active else 'revoked'}", data, PUBLISHER)
        await self._commits.execute(SYSTEM_AUTH.id, [], lambda _: Change(events=(event,)), logs=(SYSTEM_AUTH,))


def _document(key_id: str) -> DocumentKey:
    place = place_of(key_id)
    if place is None:
        raise NotFound(NO_KEY)
    return DocumentKey(KIND, place[1])


def _index(tenant: str) -> str:
    return f"{ALL_KEYS}/{tenant}"


def _entries(key: ApiKey) -> tuple[Entry, ...]:
    member = _document(key.id).id
    return Entry(ALL_KEYS, key.created_ms, member), Entry(_index(key.tenant), key.created_ms, member)
