"""The channels' records: created, found, changed, deleted, listed; and that nothing of a deleted one remains."""

import asyncio
from dataclasses import replace

import pytest

from broker.channels import ChannelRecord, NewChannel
from broker.endpoints import Endpoint, EndpointLimits, Owner, Registered, Registration, fresh_id, register
from broker.errors import Conflict, NotFound, TooMany
from broker.ids import Position
from broker.storage import channels as channels_module
from broker.storage.channels import keys_of
from broker.storage.documents import Documents
from broker.storage.endpoints import Endpoints
from broker.storage.engine import FORMAT_KEY
from broker.storage.keys import partition_keys
from tests.stores import Store, cursor_of, open_store

FAR_MS = 3_600_000


async def register_endpoint(store: Store, channel: ChannelRecord) -> None:
    asked, owner = Registration("https://example.com", None, 60), Owner("k ann", is_anonymous=False)

    def decide(registered: Registered, now_ms: int) -> tuple[Registered, Endpoint]:
        return register(registered, asked, owner, EndpointLimits(5, 5), new_id=fresh_id(now_ms, 1), now_ms=now_ms)

    await Endpoints(store.engine).change(channel, decide)


async def use_everything(store: Store) -> None:
    """Leave every kind of key behind, in several partitions."""
    for i in range(20):
        channel = await store.create(f"channel-{i}", is_public=i % 2 == 0, retention_events=3)
        [parent, *_] = (await store.publish(channel, *range(5), kind="a", key="k")).positions
        await store.publish(channel, "reply", reply_to=cursor_of(channel, parent))
        await register_endpoint(store, channel)
    await Documents(store.engine).change("trusted-keys", lambda _: [])
    gone = await store.create("gone")
    await store.publish(gone, 1)
    await store.channels.delete("gone")
    await store.trimmer.sweep()


async def test_a_record_reads_back_whole(store: Store, other: Store) -> None:
    config, meta = {"n": 12345678901234567890123}, {"a": [1.0, None]}
    new = NewChannel("news", "News", "All of it", ("a", "é"), True, config, meta)
    created = await store.channels.create(new)
    assert await other.channels.find("news") == await store.channels.find("news") == created
    assert (created.name, created.description, created.tags, created.is_public) == (
        "News",
        "All of it",
        ("a", "é"),
        True,
    )
    assert (created.config, created.meta, created.version) == (config, meta, 1)


async def test_a_name_is_given_once(store: Store, other: Store) -> None:
    outcomes = await asyncio.gather(
        *(each.channels.create(NewChannel("news", "n")) for each in (store, other) * 5), return_exceptions=True
    )
    assert sum(isinstance(outcome, ChannelRecord) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 9
    assert await store.channels.refresh("news") in outcomes


async def test_there_are_only_so_many_channels(engine_url: str) -> None:
    async with open_store(engine_url, partitions=2, most=4) as store:
        outcomes = await asyncio.gather(*(store.create(f"channel-{i}") for i in range(20)), return_exceptions=True)
        assert sum(isinstance(outcome, ChannelRecord) for outcome in outcomes) == 4
        assert sum(isinstance(outcome, TooMany) for outcome in outcomes) == 16


async def test_changes_of_several_at_once_are_all_kept(store: Store, other: Store, channel: ChannelRecord) -> None:
    def add(tag: str, record: ChannelRecord) -> ChannelRecord:
        return replace(record, tags=(*record.tags, tag))

    async def change(each: Store, tag: str) -> None:
        await each.channels.change("news", lambda record: add(tag, record))

    await asyncio.gather(*(change(each, tag) for each, tag in zip((store, other) * 2, "abcd", strict=True)))
    record = await store.channels.refresh("news")
    assert (sorted(record.tags), record.version) == (["a", "b", "c", "d"], 5)


async def test_a_refused_change_leaves_the_record(store: Store, channel: ChannelRecord) -> None:
    def refuse(_: ChannelRecord) -> ChannelRecord:
        raise Conflict("no")

    with pytest.raises(Conflict):
        await store.channels.change("news", refuse)
    assert await store.channels.refresh("news") == channel


async def test_what_does_not_exist_is_not_found(store: Store, channel: ChannelRecord) -> None:
    for act in (store.channels.find("none"), store.channels.delete("none"), store.channels.listed("none")):
        with pytest.raises(NotFound):
            await act
    with pytest.raises(NotFound):
        await store.channels.change("none", lambda record: record)
    await store.channels.delete("news")
    with pytest.raises(NotFound):
        await store.channels.find("news")


async def test_every_key_but_the_format_lives_in_a_partition(store: Store) -> None:
    await use_everything(store)
    keys = await store.keys()
    assert len(keys) > 80
    prefixes = {f"{{p{number:02d}}}:" for number in range(16)}
    assert {key for key in keys if key[:6] not in prefixes} == {FORMAT_KEY}


async def test_all_keys_of_a_channel_live_in_its_own_partition(store: Store) -> None:
    await use_everything(store)
    for i in range(20):
        record = await store.channels.find(f"channel-{i}")
        mine = [key for key in await store.keys() if f":{record.id}:" in key or key.endswith(f":{record.id}")]
        assert len(mine) >= 5 and {key[:5] for key in mine} == {f"{{p{record.partition:02d}}}"}


async def test_nothing_of_a_deleted_channel_remains_but_answers_that_expire(store: Store) -> None:
    await store.create("stays")
    before = set(await store.keys())
    channel = await store.create("news", retention_events=2)
    [parent, *_] = (await store.publish(channel, *range(5), key="k")).positions
    await store.publish(channel, 1, reply_to=cursor_of(channel, parent))
    await register_endpoint(store, channel)
    await store.trimmer.sweep()
    assert len(set(await store.keys()) - before) >= 8
    await store.channels.delete("news")
    left = set(await store.keys()) - before - {partition_keys(channel.partition).floor}
    assert all(":idempotency:" in key for key in left)
    assert [await store.engine.client.ttl(key) > 0 for key in left] == [True]
    for index in partition_keys(channel.partition)[1:]:
        assert not [member for member in await store.engine.client.zrange(index, 0, -1) if "news" in str(member)]


async def test_a_channel_created_again_is_empty_and_its_ids_lie_above_the_old_ones(
    store: Store, channel: ChannelRecord
) -> None:
    future = Position(channel.created_ms + FAR_MS, 3)
    await store.engine.client.hset(keys_of(channel).meta, mapping={"ms": future.ms, "seq": future.seq})
    [old] = (await store.publish(channel, 1)).positions
    await store.channels.delete("news")
    again = await store.create()
    assert again.tag != channel.tag and again.created_ms > old.ms
    assert (again.version, (await store.channels.listed("news")).meta.event_count) == (1, 0)
    assert await store.all(again) == []
    [new] = (await store.publish(again, 1)).positions
    assert new > again.start > old


async def test_asking_for_what_does_not_exist_fills_no_memory(store: Store) -> None:
    for i in range(200):
        with pytest.raises(NotFound):
            await store.channels.find(f"none-{i}")
    assert len(store.channels._cache) == 0


async def test_the_cache_keeps_what_is_used(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels_module, "CACHED_RECORDS", 3)
    for name in ("one", "two", "three", "four"):
        await store.create(name)
    await store.channels.find("two")
    await store.channels.find("one")
    assert list(store.channels._cache) == ["four", "two", "one"]
    calls = (await store.engine.client.info("commandstats"))["cmdstat_hgetall"]["calls"]
    await store.channels.find("two")
    assert (await store.engine.client.info("commandstats"))["cmdstat_hgetall"]["calls"] == calls
