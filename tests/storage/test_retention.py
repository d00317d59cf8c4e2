"""Trimming: what goes, in bounded steps, and that every reader can tell exactly what is gone (contract 16)."""

import asyncio

import pytest

from broker.channels import DAY_MS, ChannelRecord
from broker.cursors import Start, has_gap
from broker.errors import Unavailable
from broker.ids import Position
from broker.storage.appender import Retention
from broker.storage.channels import keys_of
from broker.storage.engine import Engine
from broker.storage.keys import partition_keys
from broker.storage.retention import STEP_EVENTS, STEPS_A_SWEEP, Trimmer, Wait
from tests.stores import KEPT, Store, cursor_of, data_of, event, open_store, running


async def gaps(store: Store, channel: ChannelRecord, positions: list[Position]) -> list[bool]:
    """For each position, whether a page after it is incomplete."""
    meta = (await store.log.after(channel, channel.start, limit=1)).meta
    return [has_gap(Start(position, own=True), meta) for position in positions]


async def test_the_oldest_events_go_when_there_are_too_many(store: Store) -> None:
    channel = await store.create(retention_events=3)
    positions = (await store.publish(channel, *range(8))).positions
    assert await store.trimmer.sweep() == 5
    assert data_of(await store.all(channel)) == [5, 6, 7]
    meta = (await store.log.after(channel, channel.start, limit=1)).meta
    assert (meta.trimmed, meta.top, meta.event_count, meta.revision) == (positions[4], positions[7], 8, 1)
    assert await gaps(store, channel, [channel.start, *positions]) == [True] * 5 + [False] * 4


async def test_events_go_when_they_are_too_old(store: Store) -> None:
    channel = await store.create(retention_days=1)
    old = (await store.publish(channel, 1, 2)).positions
    store.engine.clock_offset_ms = DAY_MS - 60_000
    young = (await store.publish(channel, 3)).positions
    assert await store.trimmer.sweep() == 0
    store.engine.clock_offset_ms = DAY_MS + 60_000
    assert await store.trimmer.sweep() == 2
    assert data_of(await store.all(channel)) == [3]
    assert await gaps(store, channel, [channel.start, *old, *young]) == [True, True, False, False]
    store.engine.clock_offset_ms = 3 * DAY_MS
    assert await store.trimmer.sweep() == 1
    assert await gaps(store, channel, [channel.start, *old, *young]) == [True, True, True, False]


async def test_an_event_is_kept_to_the_millisecond(store: Store) -> None:
    channel = await store.create(retention_days=1)
    [position] = (await store.publish(channel, 1)).positions
    left_ms = position.ms + DAY_MS - await store.engine.now_ms()
    store.engine.clock_offset_ms = left_ms - 5_000
    assert await store.trimmer.sweep() == 0
    store.engine.clock_offset_ms = left_ms
    assert await store.trimmer.sweep() == 1


async def test_deleted_events_leave_no_gap(store: Store, channel: ChannelRecord) -> None:
    positions = (await store.publish(channel, 1, 2, 3)).positions
    for position in positions:
        await store.log.delete(channel, cursor_of(channel, position), None, admin=True)
    assert await gaps(store, channel, [channel.start, *positions]) == [False] * 4


async def test_a_log_emptied_by_trimming_goes_on_above_its_marks(store: Store) -> None:
    channel = await store.create(retention_days=1)
    [old] = (await store.publish(channel, 1)).positions
    store.engine.clock_offset_ms = 2 * DAY_MS
    assert await store.trimmer.sweep() == 1
    assert await store.all(channel) == []
    assert await store.engine.client.zcard(partition_keys(channel.partition).trims) == 0
    [new] = (await store.publish(channel, 2)).positions
    assert await gaps(store, channel, [channel.start, old, new]) == [True, False, False]
    store.engine.clock_offset_ms = 4 * DAY_MS
    assert await store.trimmer.sweep() == 1


async def test_a_long_way_is_trimmed_in_bounded_steps_over_several_sweeps(store: Store) -> None:
    channel = await store.create(retention_events=50)
    count = STEP_EVENTS * STEPS_A_SWEEP + 250
    for _ in range(count // 250):
        await asyncio.gather(*(store.log.append(channel, [event(channel, 0)] * 50) for _ in range(5)))
    total = (await store.channels.listed("news")).meta.event_count
    assert await store.trimmer.sweep() == STEP_EVENTS * STEPS_A_SWEEP
    assert await store.trimmer.sweep() == total - STEP_EVENTS * STEPS_A_SWEEP - 50
    assert await store.trimmer.sweep() == 0
    assert len(await store.all(channel)) == 50


async def test_a_new_retention_is_applied_by_the_next_sweep(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, *range(10))
    assert await store.trimmer.sweep() == 0
    changed = await store.change(channel, config={"storage": {"retention_events": 4}})
    assert await store.trimmer.sweep() == 6
    assert data_of(await store.all(changed)) == [6, 7, 8, 9]


async def test_two_sweeps_at_once_remove_each_event_once(store: Store, other: Store) -> None:
    channel = await store.create(retention_events=10)
    for _ in range(10):
        await store.publish(channel, *range(100))
    removed = await asyncio.gather(*(each.trimmer.sweep() for each in (store, other) * 2))
    assert sum(removed) == 990
    assert len(await store.all(channel)) == 10


async def test_retention_of_a_record_that_was_changed_meanwhile_removes_nothing(store: Store, other: Store) -> None:
    """A sweep that read `keep 1` must not act when the channel says `keep all` by now."""
    channel = await store.create(retention_events=1)
    await store.publish(channel, *range(5))
    await other.change(channel, config=None)
    assert await store.trimmer._trim(channel, None) == 0
    assert await store.trimmer.sweep() == 0
    assert len(await other.all(await other.channels.find("news"))) == 5


async def test_a_sweep_that_met_a_channel_created_again_leaves_its_mark(store: Store, other: Store) -> None:
    channel = await store.create(retention_events=1)
    await store.publish(channel, 1, 2)
    await other.channels.delete("news")
    again = await other.create()
    await other.publish(again, 1)
    assert await store.trimmer._trim(channel, None) == 0
    assert await store.engine.client.zscore(partition_keys(again.partition).trims, "news") is not None


async def test_the_defaults_hold_where_a_channel_says_nothing(engine_url: str) -> None:
    async with open_store(engine_url, retention=Retention(days=1, events=2, idempotency_ttl_s=60)) as store:
        channel = await store.create()
        await store.publish(channel, 1, 2, 3)
        assert await store.trimmer.sweep() == 1
        store.engine.clock_offset_ms = 2 * DAY_MS
        assert await store.trimmer.sweep() == 2


async def test_a_channel_that_cannot_be_trimmed_does_not_hold_up_the_others(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    broken, channel = await store.create("a-broken"), await store.create(retention_events=1)
    await store.publish(broken, 1)
    await store.engine.client.zadd(partition_keys(broken.partition).trims, {"a-broken": 0})
    await store.engine.client.set(keys_of(broken).stream, "not a stream")
    async with running(store.trimmer.run()), asyncio.timeout(5):
        while "trimming a-broken failed" not in caplog.text:
            await asyncio.sleep(0.01)
        await store.publish(channel, 1, 2)
        while len(await store.all(channel)) > 1:
            await asyncio.sleep(0.01)


def in_one_and_named_like_another(engine: Engine) -> tuple[str, str]:
    """A tenant's channel, and one that lives in a later partition, to which the name of the first would point."""
    tenants = (f"tenant-{i}" for i in range(1_000))
    tenant = next(each for each in tenants if engine.partition(each) < engine.partition(f"cuey-team-{each}"))
    names = (f"channel-{i}" for i in range(1_000))
    return f"cuey-team-{tenant}", next(
        each for each in names if engine.partition(each) == engine.partition(f"cuey-team-{tenant}")
    )


async def test_a_tenants_partition_that_waits_holds_up_no_other(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    names = in_one_and_named_like_another(store.engine)
    waiting, channel = [await store.create(name, retention_events=1) for name in names]
    for each in (waiting, channel):
        await store.publish(each, 1, 2)

    async def read(asked: ChannelRecord) -> Position | None:
        if asked == waiting:
            raise Unavailable("away", retry_after_s=1)
        return None

    trimmer = Trimmer(store.engine, store.channels, KEPT, Wait(read, 0), interval_s=1)
    assert await trimmer.sweep() == 1
    assert data_of(await store.all(channel)) == [2]
    assert f"trimming in partition {waiting.partition} waits: away" in caplog.text
