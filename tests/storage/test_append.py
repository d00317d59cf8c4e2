"""Appending: whole or not at all, once per key, in one call per turn, with ids that only rise (design 3 and 4)."""

import asyncio

import pytest

from broker.channels import ChannelRecord
from broker.errors import Invalid, KeyReused, TooLarge
from broker.events import EventLimits, parse_publish
from broker.ids import Cursor, Position
from broker.storage.appender import MAX_CALL_EVENTS, Idempotency
from broker.storage.channels import keys_of
from broker.storage.log import Stale
from broker.storage.scripts import APPEND
from tests.stores import Store, cursor_of, data_of, event, open_store

FAR_MS = 3_600_000


async def script_calls(store: Store) -> int:
    """How many scripts the engine ran, as it counts them."""
    stats = await store.engine.client.info("commandstats")
    return sum(int(stats[name]["calls"]) for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats)


async def set_top(store: Store, channel: ChannelRecord, ms: int) -> None:
    """As if the engine's clock had been at `ms` when the last event was published."""
    await store.engine.client.hset(keys_of(channel).meta, mapping={"ms": ms, "seq": 7})


async def test_an_event_reads_back_byte_for_byte_with_its_id_and_time(store: Store, channel: ChannelRecord) -> None:
    stored = event(channel, {"é": [1, 2.5, None, "\n"]}, kind="a b", publisher="ann")
    [position] = (await store.log.append(channel, [stored])).positions
    [frame] = await store.all(channel)
    assert frame.position == position > channel.start
    assert frame.wire.endswith(stored.tail) and frame.type_json == b'"a b"'
    assert frame.wire.startswith(b'{"id":"%b","created_at":"20' % frame.id.encode())


async def test_a_batch_is_stored_in_order_under_ids_of_one_millisecond(store: Store, channel: ChannelRecord) -> None:
    positions = (await store.publish(channel, *range(100))).positions
    assert {position.ms for position in positions} == {positions[0].ms}
    assert [frame.position for frame in await store.all(channel)] == positions == sorted(set(positions))
    assert data_of(await store.all(channel)) == list(range(100))


async def test_an_empty_batch_stores_nothing_and_keeps_its_key(store: Store, channel: ChannelRecord) -> None:
    assert (await store.publish(channel, key="k")).positions == []
    again = await store.publish(channel, key="k")
    assert again.positions == [] and again.replayed
    with pytest.raises(KeyReused):
        await store.publish(channel, 1, key="k")
    assert await store.all(channel) == []


async def test_one_bad_reply_refuses_the_whole_batch(store: Store, channel: ChannelRecord) -> None:
    nowhere = Cursor(0, channel.tag, 0)
    events = [event(channel, 1), event(channel, 2, reply_to=nowhere), event(channel, 3)]
    with pytest.raises(Invalid, match="reply_to of event 1 "):
        await store.log.append(channel, events)
    assert await store.all(channel) == []
    assert (await store.channels.listed("news")).meta.event_count == 0


async def test_publishes_of_one_turn_share_one_script_call(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, "the engine knows the script now")
    before = await script_calls(store)
    outcomes = await asyncio.gather(*(store.publish(channel, i) for i in range(100)))
    assert await script_calls(store) == before + 1
    positions = [outcome.positions[0] for outcome in outcomes]
    assert data_of(await store.all(channel))[1:] == list(range(100))
    assert positions == sorted(positions)


async def test_batches_that_wait_together_are_stored_in_calls_of_bounded_size(
    store: Store, channel: ChannelRecord
) -> None:
    await store.publish(channel, 0)
    before = await script_calls(store)
    batches = [[(number, each) for each in range(100)] for number in range(20)]
    await asyncio.gather(*(store.publish(channel, *batch) for batch in batches))
    assert await script_calls(store) == before + 20 * 100 / MAX_CALL_EVENTS
    assert data_of(await store.all(channel))[1:] == [list(each) for batch in batches for each in batch]


async def test_one_refused_publish_spoils_none_that_share_its_call(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 0, key="k")
    nowhere = Cursor(0, channel.tag, 0)
    outcomes = await asyncio.gather(
        store.publish(channel, 1),
        store.publish(channel, 2, reply_to=nowhere),
        store.publish(channel, 3, key="k"),
        store.publish(channel, 0, key="k"),
        store.publish(channel, 4),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Appended",
        "Invalid",
        "KeyReused",
        "Appended",
        "Appended",
    ]
    assert data_of(await store.all(channel)) == [0, 1, 4]


async def test_a_cancelled_publisher_takes_nobody_with_it(store: Store, channel: ChannelRecord) -> None:
    tasks = [asyncio.create_task(store.publish(channel, i)) for i in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[5].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [i for i, outcome in enumerate(outcomes) if isinstance(outcome, asyncio.CancelledError)] == [0, 5]
    assert len(await store.all(channel)) == 10


async def test_the_same_key_answers_the_first_ids_again(store: Store, channel: ChannelRecord) -> None:
    first = await store.publish(channel, 1, 2, key="k")
    again = await store.publish(channel, 1, 2, key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.positions == first.positions
    assert len(await store.all(channel)) == 2


async def test_the_same_key_with_another_body_is_refused(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1, key="k")
    with pytest.raises(KeyReused):
        await store.publish(channel, 2, key="k")
    assert data_of(await store.all(channel)) == [1]


async def test_two_processes_that_publish_with_one_key_at_once_store_once(
    store: Store, other: Store, channel: ChannelRecord
) -> None:
    outcomes = await asyncio.gather(*(each.publish(channel, 1, key="k") for each in (store, other) * 20))
    assert len(await store.all(channel)) == 1
    assert sum(outcome.replayed for outcome in outcomes) == 39
    assert len({outcome.positions[0] for outcome in outcomes}) == 1


async def test_a_key_is_remembered_for_its_time_only(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1, key="k")
    [row] = [key for key in await store.keys() if ":idempotency:" in key]
    assert 86_300_000 < await store.engine.client.pttl(row) <= 86_400_000


async def test_a_key_used_before_a_channel_was_deleted_says_nothing_of_the_new_one(
    store: Store, channel: ChannelRecord
) -> None:
    await store.publish(channel, 1, key="k")
    await store.channels.delete("news")
    again = await store.create()
    outcome = await store.publish(again, 1, key="k")
    assert not outcome.replayed
    assert [frame.position for frame in await store.all(again)] == outcome.positions


async def test_a_replay_is_answered_though_the_record_changed(store: Store, channel: ChannelRecord) -> None:
    first = await store.publish(channel, 1, key="k")
    await store.change(channel, name="renamed")
    assert (await store.publish(channel, 1, key="k")).positions == first.positions


async def test_an_old_record_is_stale_and_nothing_is_stored(store: Store, other: Store, channel: ChannelRecord) -> None:
    changed = await other.change(channel, is_public=False)
    with pytest.raises(Stale):
        await store.publish(channel, 1)
    assert await store.all(changed) == []


async def test_the_record_of_a_deleted_channel_is_stale(store: Store, other: Store, channel: ChannelRecord) -> None:
    await other.channels.delete("news")
    with pytest.raises(Stale):
        await store.publish(channel, 1)
    again = await other.create()
    with pytest.raises(Stale):
        await store.publish(channel, 1)
    assert await other.all(again) == []


async def test_replies_to_what_is_not_there_are_refused(store: Store, channel: ChannelRecord) -> None:
    [kept, deleted] = (await store.publish(channel, 1, 2)).positions
    await store.log.delete(channel, cursor_of(channel, deleted), None, admin=True)
    foreign = await store.create("other")
    [elsewhere] = (await store.publish(foreign, 1)).positions
    for parent in (
        cursor_of(channel, deleted),
        cursor_of(channel, channel.start),
        cursor_of(foreign, elsewhere),
        Cursor(kept.ms, foreign.tag, kept.seq),
        Cursor(0, channel.tag, 0),
        Cursor((1 << 48) - 1, channel.tag, (1 << 35) - 1),
    ):
        with pytest.raises(Invalid, match="reply_to of event 0 names no event"):
            await store.publish(channel, 3, reply_to=parent)
    await store.publish(channel, 3, reply_to=cursor_of(channel, kept))


async def test_a_reply_to_a_trimmed_event_is_refused(store: Store) -> None:
    channel = await store.create(retention_events=1)
    [old, _] = (await store.publish(channel, 1, 2)).positions
    assert await store.trimmer.sweep() == 1
    with pytest.raises(Invalid, match="reply_to"):
        await store.publish(channel, 3, reply_to=cursor_of(channel, old))


async def test_ids_rise_when_the_clock_is_set_back(store: Store, channel: ChannelRecord) -> None:
    future = channel.created_ms + FAR_MS
    await set_top(store, channel, future)
    positions = [(await store.publish(channel, i)).positions[0] for i in range(3)]
    assert positions == [Position(future, 8), Position(future, 9), Position(future, 10)]


async def test_ids_rise_while_the_clock_jumps_about(store: Store, channel: ChannelRecord) -> None:
    positions = []
    for offset in (0, FAR_MS, -FAR_MS, 2 * FAR_MS, 0, 3 * FAR_MS):
        store.engine.clock_offset_ms = offset
        positions += (await store.publish(channel, offset, offset)).positions
    assert positions == sorted(set(positions)) == [frame.position for frame in await store.all(channel)]
    assert [position.ms - channel.created_ms >= FAR_MS for position in positions] == [False] * 2 + [True] * 10


async def test_ids_lie_above_the_floor(store: Store, channel: ChannelRecord) -> None:
    seen = Position(channel.created_ms + FAR_MS, 5)
    await store.channels.raise_floor(channel.partition, seen)
    await store.channels.raise_floor(channel.partition, channel.start)
    [position] = (await store.publish(channel, 1)).positions
    assert position == Position(seen.ms + 1, 0)


async def test_a_channel_that_is_over_its_cap_at_once_is_due_at_once(store: Store) -> None:
    channel = await store.create(retention_events=2)
    await store.publish(channel, *range(10))
    assert await store.trimmer.sweep() == 8


async def test_counters_count_what_was_published_and_never_fall(store: Store, channel: ChannelRecord) -> None:
    positions = (await store.publish(channel, 1, 2, 3)).positions
    await store.log.delete(channel, cursor_of(channel, positions[-1]), None, admin=True)
    meta = (await store.channels.listed("news")).meta
    assert (meta.event_count, meta.last, meta.start) == (3, positions[-1], channel.start)


async def test_an_engine_that_lost_its_scripts_is_given_them_again(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1)
    await store.engine.client.script_flush()
    assert not (await store.engine.client.script_exists(APPEND.sha))[0]
    await store.publish(channel, 2)
    assert data_of(await store.all(channel)) == [1, 2]


async def test_the_largest_batch_is_one_publish(engine_url: str, channel: ChannelRecord) -> None:
    limits = EventLimits()
    data = b'"' + b"x" * (limits.data_bytes - 2) + b'"'
    body = b'{"events":[' + b",".join([b'{"data":' + data + b"}"] * limits.batch_events) + b"]}"
    drafts = parse_publish(body, limits).drafts
    with pytest.raises(TooLarge):
        parse_publish(b'{"data":"' + b"x" * limits.data_bytes + b'"}', limits)
    async with open_store(engine_url) as store:
        events = [event(channel, draft.data) for draft in drafts]
        await asyncio.gather(store.log.append(channel, events), store.publish(channel, "small"))
        assert len(await store.all(channel)) == 101


async def test_a_key_of_one_channel_means_nothing_in_another(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1, key="k")
    foreign = await store.create("other")
    outcome = await store.log.append(foreign, [event(foreign, 1)], Idempotency("k", "another body"))
    assert not outcome.replayed


async def test_plain_publishes_of_one_turn_go_as_one_and_each_has_its_own_events(
    store: Store, channel: ChannelRecord
) -> None:
    first, *others = await asyncio.gather(
        store.publish(channel, "a", "b"),
        store.publish(channel, "c", key="k"),
        store.publish(channel, "d"),
        store.publish(channel),
        store.publish(channel, "e", "f", kind="t", publisher=None),
    )
    frames = await store.all(channel)
    assert data_of(frames) == ["a", "b", "c", "d", "e", "f"]
    given = [position for each in (first, *others) for position in each.positions]
    assert given == [frame.position for frame in frames]
    assert [len(each.positions) for each in (first, *others)] == [2, 1, 1, 0, 2]
    assert (store.appender.counts.publishes, store.appender.counts.events) == (5, 6)
