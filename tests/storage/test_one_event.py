"""One event: get, delete, replies and threads, each decided on the record of now (contract sections 1, 2 and 13)."""

import pytest

from broker.channels import ChannelRecord
from broker.errors import Forbidden, NotFound
from broker.ids import Cursor
from broker.storage.channels import keys_of
from broker.storage.log import MAX_THREAD_DEPTH, MAX_THREAD_EVENTS, Stale
from tests.stores import Store, cursor_of, data_of, event, ids_of

NOBODY = None


async def published(
    store: Store, channel: ChannelRecord, data: object, *, publisher: str | None = "ann", reply_to: Cursor | None = None
) -> Cursor:
    """The id of a new event."""
    [position] = (await store.publish(channel, data, publisher=publisher, reply_to=reply_to)).positions
    return cursor_of(channel, position)


async def test_an_event_is_got_by_its_id_with_its_type(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, "typed", kind="a")
    [frame] = await store.all(channel)
    assert await store.log.get(channel, ids_of([frame])[0]) == frame


async def test_ids_that_name_nothing_here_are_not_found(store: Store, channel: ChannelRecord) -> None:
    cursor = await published(store, channel, 1)
    foreign = await store.create("other")
    elsewhere = await published(store, foreign, 1)
    for unknown in (elsewhere, Cursor(cursor.ms, foreign.tag, cursor.seq), Cursor(0, channel.tag, 0)):
        with pytest.raises(NotFound):
            await store.log.get(channel, unknown)
        with pytest.raises(NotFound):
            await store.log.delete(channel, unknown, "ann", admin=True)
        assert await store.log.replies(channel, unknown, whole_thread=True) == []
    assert data_of([await store.log.get(channel, cursor)]) == [1]


async def test_a_deleted_event_is_gone_from_every_read(store: Store, channel: ChannelRecord) -> None:
    cursor = await published(store, channel, 1)
    await store.log.delete(channel, cursor, "ann", admin=False)
    for again in (store.log.get(channel, cursor), store.log.delete(channel, cursor, "ann", admin=False)):
        with pytest.raises(NotFound):
            await again
    assert await store.all(channel) == []


@pytest.mark.parametrize(
    ("publisher", "asking", "is_allowed"),
    [
        ("ann", "ann", True),
        ("ann", "bob", False),
        ("ann", NOBODY, False),
        (NOBODY, NOBODY, False),
        (NOBODY, "ann", False),
    ],
)
async def test_only_its_publisher_or_an_admin_deletes_an_event(
    store: Store, channel: ChannelRecord, publisher: str | None, asking: str | None, is_allowed: bool
) -> None:
    cursor = await published(store, channel, 1, publisher=publisher)
    if is_allowed:
        await store.log.delete(channel, cursor, asking, admin=False)
        return
    with pytest.raises(Forbidden):
        await store.log.delete(channel, cursor, asking, admin=False)
    assert len(await store.all(channel)) == 1
    await store.log.delete(channel, cursor, asking, admin=True)
    assert await store.all(channel) == []


async def test_replies_are_direct_and_a_thread_is_all_descendants(store: Store, channel: ChannelRecord) -> None:
    root = await published(store, channel, "root")
    a = await published(store, channel, "a", reply_to=root)
    b = await published(store, channel, "b", reply_to=root)
    await published(store, channel, "aa", reply_to=a)
    await published(store, channel, "ba", reply_to=b)
    await published(store, channel, "other")
    log = store.log
    assert data_of(await log.replies(channel, root, whole_thread=False)) == ["a", "b"]
    assert data_of(await log.replies(channel, root, whole_thread=True)) == ["a", "b", "aa", "ba"]
    assert data_of(await log.replies(channel, a, whole_thread=True)) == ["aa"]


async def test_replies_of_one_batch_do_not_mix_with_those_of_near_ids(store: Store, channel: ChannelRecord) -> None:
    """Ids of one millisecond are prefixes of each other as text: 5-1 and 5-10."""
    parents = [cursor_of(channel, position) for position in (await store.publish(channel, *range(30))).positions]
    for i, parent in enumerate(parents):
        await published(store, channel, f"re {i}", reply_to=parent)
    for i, parent in enumerate(parents):
        assert data_of(await store.log.replies(channel, parent, whole_thread=False)) == [f"re {i}"]


async def test_a_deep_thread_is_answered_to_its_bound(store: Store, channel: ChannelRecord) -> None:
    root = parent = await published(store, channel, 0)
    for depth in range(1, MAX_THREAD_DEPTH + 3):
        parent = await published(store, channel, depth, reply_to=parent)
    thread = await store.log.replies(channel, root, whole_thread=True)
    assert data_of(thread) == list(range(1, MAX_THREAD_DEPTH + 1))


async def test_a_wide_thread_is_answered_to_its_bound(store: Store, channel: ChannelRecord) -> None:
    root = await published(store, channel, "root")
    for _ in range(11):
        await store.log.append(channel, [event(channel, 0, reply_to=root)] * 100)
    for whole_thread in (False, True):
        assert len(await store.log.replies(channel, root, whole_thread=whole_thread)) == MAX_THREAD_EVENTS


async def test_replies_to_a_deleted_event_are_kept_with_it_and_leave_its_ancestors(
    store: Store, channel: ChannelRecord
) -> None:
    root = await published(store, channel, "root")
    a = await published(store, channel, "a", reply_to=root)
    await published(store, channel, "aa", reply_to=a)
    await store.log.delete(channel, a, None, admin=True)
    assert await store.log.replies(channel, root, whole_thread=True) == []
    assert data_of(await store.log.replies(channel, a, whole_thread=True)) == ["aa"]
    [frame] = [frame for frame in await store.all(channel) if b'"aa"' in frame.wire]
    assert b'"reply_to":"' in frame.wire


async def test_the_reply_index_ends_with_its_events(store: Store) -> None:
    channel = await store.create(retention_events=1)
    root = await published(store, channel, "root")
    replies = [await published(store, channel, i, reply_to=root) for i in range(250)]
    await store.log.delete(channel, replies[5], None, admin=True)
    assert await store.trimmer.sweep() == 249
    assert await store.engine.client.zcard(keys_of(channel).replies) == 1
    assert data_of(await store.log.replies(channel, root, whole_thread=True)) == [249]


async def test_an_old_record_reads_and_deletes_nothing(store: Store, other: Store, channel: ChannelRecord) -> None:
    """A channel that another process turned private shows nothing by the record cached here."""
    cursor = await published(store, channel, 1)
    await other.change(channel, is_public=False)
    for act in (
        store.log.get(channel, cursor),
        store.log.delete(channel, cursor, "ann", admin=True),
        store.log.replies(channel, cursor, whole_thread=True),
    ):
        with pytest.raises(Stale):
            await act
    now = await store.channels.refresh("news")
    assert data_of([await store.log.get(now, cursor)]) == [1]


async def test_the_record_of_a_channel_created_again_is_told_from_the_old_one(
    store: Store, other: Store, channel: ChannelRecord
) -> None:
    await other.channels.delete("news")
    again = await other.create()
    cursor = await published(other, again, "new")
    for act in (store.log.get(channel, cursor), store.log.replies(channel, cursor, whole_thread=False)):
        with pytest.raises(Stale):
            await act
    with pytest.raises(Stale):
        await store.log.delete(channel, cursor, "ann", admin=True)
    assert data_of([await store.log.get(await store.channels.refresh("news"), cursor)]) == ["new"]
