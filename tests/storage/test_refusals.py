"""What an engine in trouble refuses is Unavailable with a reason, and nothing is half done (reliability B)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from broker.channels import ChannelRecord
from broker.errors import Unavailable
from broker.storage.channels import keys_of
from broker.storage.connect import answered
from broker.storage.engine import EngineUnfit, open_engine
from tests.engines import tell
from tests.stores import Store, cursor_of, data_of, event, open_store


@pytest.fixture
async def full(store: Store, channel: ChannelRecord) -> AsyncIterator[Store]:
    """A store with five events, whose engine has no memory left."""
    await store.publish(channel, *range(5), key="before")
    await answered(store.engine.client.config_set("maxmemory", "1mb"))
    yield store
    await answered(store.engine.client.config_set("maxmemory", "0"))


async def contents(store: Store) -> dict[str, Any]:
    """Everything the engine holds, as it dumps it; without times to live."""
    return {key: await store.engine.client.dump(key) for key in await store.keys()}


async def test_a_full_engine_refuses_publishes_whole_and_says_so(full: Store, channel: ChannelRecord) -> None:
    before = await contents(full)
    parent = cursor_of(channel, (await full.all(channel))[0].position)
    events = [event(channel, i, reply_to=parent) for i in range(100)]
    calls = [full.log.append(channel, events), full.publish(channel, 1, key="k"), full.create("other")]
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, Unavailable)
        assert (outcome.extra, outcome.retry_after_s) == ({"code": "storage_full"}, 5)
    assert await contents(full) == before


async def test_a_full_engine_still_reads_and_replays(full: Store, channel: ChannelRecord) -> None:
    frames = await full.all(channel)
    assert data_of(frames) == list(range(5))
    cursor = cursor_of(channel, frames[0].position)
    assert data_of([await full.log.get(channel, cursor)]) == [0]
    assert await full.log.replies(channel, cursor, whole_thread=True) == []
    assert (await full.publish(channel, *range(5), key="before")).replayed


async def test_a_full_engine_can_be_emptied(full: Store, channel: ChannelRecord) -> None:
    """Deleting and trimming are what makes room, so they work."""
    first = (await full.all(channel))[0]
    await full.log.delete(channel, cursor_of(channel, first.position), None, admin=True)
    full.engine.clock_offset_ms = channel.retention_ms(8)
    assert await full.trimmer.sweep() == 4
    assert await full.trimmer.sweep() == 0
    await full.channels.delete("news")
    assert [key for key in await full.keys() if ":log:" in key] == []


async def test_a_log_that_has_nothing_to_trim_does_not_stop_the_sweep_of_a_full_engine(store: Store) -> None:
    """Due by its mark, but with nothing to remove: the sweep has to get past it to those that free memory."""
    for name in ("a-young", "b-young"):
        young = await store.create(name)
        await store.publish(young, 1)
        await store.change(young, name="due now")
    old = await store.create("old", retention_events=1)
    await store.publish(old, *range(10))
    await answered(store.engine.client.config_set("maxmemory", "1mb"))
    try:
        assert await store.trimmer.sweep() == 9
    finally:
        await answered(store.engine.client.config_set("maxmemory", "0"))


async def test_a_publish_goes_on_when_there_is_memory_again(full: Store, channel: ChannelRecord) -> None:
    with pytest.raises(Unavailable):
        await full.publish(channel, 5)
    await answered(full.engine.client.config_set("maxmemory", "0"))
    await full.publish(channel, 5)
    assert data_of(await full.all(channel)) == list(range(6))


async def test_a_replica_refuses_writes_and_reads_on(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1)
    await answered(store.engine.client.replicaof("127.0.0.1", "1"))
    try:
        with pytest.raises(Unavailable, match="refuses this now"):
            await store.publish(channel, 2)
        assert len(await store.all(channel)) == 1
        await answered(store.engine.client.config_set("replica-serve-stale-data", "no"))
        for read in (store.all(channel), store.channels.check([channel]), store.channels.refresh("news")):
            with pytest.raises(Unavailable):
                await read
    finally:
        tell(store.engine.url, "CONFIG SET replica-serve-stale-data yes")
        tell(store.engine.url, "REPLICAOF NO ONE")


async def test_an_engine_without_its_replicas_refuses_writes(store: Store, channel: ChannelRecord) -> None:
    await answered(store.engine.client.config_set("min-replicas-to-write", "1"))
    try:
        with pytest.raises(Unavailable, match="refuses this now"):
            await store.publish(channel, 1)
        assert await store.all(channel) == []
    finally:
        await answered(store.engine.client.config_set("min-replicas-to-write", "0"))


async def test_a_busy_engine_is_unavailable_for_scripts_and_pipelines(store: Store, channel: ChannelRecord) -> None:
    await answered(store.engine.client.config_set("busy-reply-threshold", "10"))
    endless = asyncio.ensure_future(store.engine.client.eval("while true do end", 0))
    try:
        async with asyncio.timeout(5):
            while not tell(store.engine.url, "GET none").startswith(b"-BUSY"):
                await asyncio.sleep(0.01)
        for call in (store.publish(channel, 1), store.channels.check([channel]), store.engine.ping()):
            with pytest.raises(Unavailable):
                await call
    finally:
        tell(store.engine.url, "SCRIPT KILL")
        with pytest.raises(Exception, match="killed"):
            await endless


async def test_an_engine_that_hangs_is_unavailable_after_the_reply_timeout(engine_url: str) -> None:
    async with open_store(engine_url, reply_timeout_s=0.2) as store:
        channel = await store.create()
        tell(engine_url, "CLIENT PAUSE 1000 ALL")
        with pytest.raises(Unavailable, match="did not answer in time"):
            await store.publish(channel, 1)
        tell(engine_url, "CLIENT UNPAUSE")
        # The outcome was unknown: it was stored, or not, but never half of it.
        assert len(await store.all(channel)) <= 1


async def test_a_crowd_of_readers_holds_up_neither_publishes_nor_checks(store: Store, channel: ChannelRecord) -> None:
    waiting = [asyncio.ensure_future(answered(store.engine.client.blpop([f"none-{i}"], 1))) for i in range(32)]
    async with asyncio.timeout(5):
        while len(store.engine.client.connection_pool._in_use_connections) < 32:
            await asyncio.sleep(0.01)
    before = asyncio.get_running_loop().time()
    await store.publish(channel, 1)
    assert await store.channels.check([channel]) != [None]
    await store.engine.ping()
    assert asyncio.get_running_loop().time() - before < 0.5
    assert not any(task.done() for task in waiting)
    await asyncio.gather(*waiting)


async def test_an_engine_that_may_evict_is_unfit(engine_url: str) -> None:
    tell(engine_url, "CONFIG SET maxmemory-policy allkeys-lru")
    try:
        with pytest.raises(EngineUnfit, match="noeviction"):
            await open_engine(engine_url)
    finally:
        tell(engine_url, "CONFIG SET maxmemory-policy noeviction")


async def test_data_of_another_layout_is_unfit(engine_url: str) -> None:
    await (await open_engine(engine_url, partitions=4)).close()
    with pytest.raises(EngineUnfit, match="4 partitions"):
        await open_engine(engine_url, partitions=16)
    tell(engine_url, "HSET tidemark:format format 99")
    with pytest.raises(EngineUnfit, match=r"format 99.*by a newer version"):
        await open_engine(engine_url, partitions=4)
    tell(engine_url, "HSET tidemark:format format 1")
    with pytest.raises(EngineUnfit, match=r"format 1,.*by an older version"):
        await open_engine(engine_url, partitions=4)


async def test_where_nothing_answers_the_engine_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await open_engine("unix:///tmp/no-such-engine.sock")


async def test_a_key_of_another_kind_is_a_defect_and_no_refusal(store: Store, channel: ChannelRecord) -> None:
    await store.engine.client.set(keys_of(channel).stream, "not a stream")
    with pytest.raises(Exception, match="WRONGTYPE") as caught:
        await store.publish(channel, 1)
    assert not isinstance(caught.value, Unavailable)
