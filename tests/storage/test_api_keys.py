"""API keys in the engine, and what `system-auth` tells of them."""

import json

import pytest

from broker.api_keys import KeyRequest, parse_stored
from broker.channels import DAY_MS
from broker.errors import NotFound
from broker.storage.api_keys import SYSTEM_AUTH, ApiKeys
from tests.stores import Store

CUEY = KeyRequest("acme", ("cuey",))


def keys_of(store: Store) -> ApiKeys:
    return ApiKeys(store.engine, store.reader, store.commits)


async def told(store: Store) -> list[tuple[str, str, str | None]]:
    frames = [json.loads(frame.wire) for frame in await store.all(await store.channels.find(SYSTEM_AUTH.id))]
    return [(each["type"], each["data"]["subject"], each["data"]["previous_status"]) for each in frames]


async def test_a_key_is_found_by_itself_in_its_tenants_partition(store: Store, other: Store) -> None:
    text, key = await keys_of(store).create(CUEY)
    assert int(text[3:5]) == store.engine.partition("acme")
    assert await keys_of(other).find([key.id]) == {key.id: key}
    raw = [await store.engine.client.hget(name, "body") for name in await store.keys() if ":state:api-key:" in name]
    assert [parse_stored(body) for body in raw if isinstance(body, bytes)] == [key]
    assert text.encode() not in b"".join(body for body in raw if isinstance(body, bytes))


async def test_keys_that_are_not_there_are_not_found(store: Store) -> None:
    keys = keys_of(store)
    assert await keys.find([f"key_01{'0' * 32}", f"key_99{'0' * 32}", "nonsense"]) == {}
    for key_id in (f"key_01{'0' * 32}", f"key_99{'0' * 32}", "nonsense"):
        with pytest.raises(NotFound):
            await keys.revoke(key_id)


async def test_lists_are_by_tenant_or_of_all_newest_first(store: Store) -> None:
    keys, made = keys_of(store), []
    for tenant in ("acme", "other", "acme"):
        store.engine.clock_offset_ms += 10
        made.append((await keys.create(KeyRequest(tenant, ("live",))))[1])
    assert await keys.list("acme") == [made[2], made[0]]
    assert await keys.list(None) == made[::-1]
    assert await keys.list("nobody") == []


async def test_a_revoked_key_is_listed_for_a_while_and_its_revocation_is_told(store: Store) -> None:
    keys = keys_of(store)
    key = (await keys.create(CUEY))[1]
    revoked = await keys.revoke(key.id)
    assert revoked.revoked_ms is not None and (await keys.list("acme")) == [revoked]
    assert await keys.revoke(key.id) == revoked
    assert await told(store) == [
        ("system.key.created", key.id, None),
        ("system.key.revoked", key.id, "active"),
        ("system.key.revoked", key.id, "active"),
    ]
    store.engine.clock_offset_ms += 30 * DAY_MS + 1
    assert await keys.find([key.id]) == {} and await keys.list("acme") == []
