"""Pages by plain commands are those that the script gives, bounded by what the log says of its largest event."""

import asyncio
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.channels import ChannelRecord
from broker.cursors import LogMeta
from broker.events import Frame
from broker.ids import Cursor, Position
from broker.storage.log import MAX_SCAN_BYTES
from broker.storage.plain_pages import FEWEST_EVENTS, PlainPages, is_undisturbed
from tests.stores import Store, cursor_of, data_of, event

NUMBER = itertools.count()
MANY = 1_000_000_000


async def knowing(store: Store, channel: ChannelRecord) -> PlainPages:
    """Such pages, of a log that said how it is now."""
    pages = PlainPages(store.engine)
    [meta] = await store.channels.metas([channel])
    assert meta is not None
    pages.learn(channel, meta)
    return pages


async def test_a_plain_page_holds_what_lies_after_its_start_up_to_its_limit(
    store: Store, channel: ChannelRecord
) -> None:
    positions = (await store.publish(channel, *range(40))).positions
    pages = await knowing(store, channel)
    page = await pages.after(channel, positions[2], 20, MANY)
    assert page is not None
    assert (data_of(page.frames), page.scanned, page.more) == (list(range(3, 23)), positions[22], True)
    last = await pages.after(channel, positions[22], 20, MANY)
    assert last is not None
    assert (data_of(last.frames), last.scanned, last.more) == (list(range(23, 40)), positions[39], False)


async def test_a_page_asked_for_after_a_publish_has_what_was_published(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, *range(20))
    pages = await knowing(store, channel)
    for last in range(20, 23):
        await store.publish(channel, last)
        page = await pages.after(channel, channel.start, 100, MANY)
        assert page is not None
        assert (data_of(page.frames), page.more) == (list(range(last + 1)), False)


async def test_a_page_of_its_limit_is_whole_though_more_was_added(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, *range(20))
    pages = await knowing(store, channel)
    await store.publish(channel, 20)
    page = await pages.after(channel, channel.start, 20, MANY)
    assert page is not None
    assert (data_of(page.frames), page.more) == (list(range(20)), True)


async def test_a_large_event_that_was_added_since_bounds_the_page(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, *range(20))
    pages = await knowing(store, channel)
    await store.publish(channel, "x" * 60_000)
    assert await pages.after(channel, channel.start, 1_000, 262_144) is None
    page = await pages.after(channel, channel.start, 1_000, MANY)
    assert page is not None
    assert (data_of(page.frames), page.more) == ([*range(20), "x" * 60_000], False)


async def test_a_page_is_not_longer_than_its_bytes(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, *["x" * 900] * 90)
    page = await (await knowing(store, channel)).after(channel, channel.start, 1_000, 40_000)
    assert page is not None
    assert FEWEST_EVENTS < len(page.frames) <= 40_000 // 900
    assert page.more


async def test_a_log_with_one_large_event_is_read_by_the_script(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, *range(90))
    await store.publish(channel, "x" * 60_000)
    pages = await knowing(store, channel)
    assert await pages.after(channel, channel.start, 1_000, 262_144) is None
    assert await pages.after(channel, channel.start, 100, MAX_SCAN_BYTES) is not None


async def test_nothing_is_known_of_a_log_that_was_not_seen_and_nothing_lies_at_its_top(
    store: Store, channel: ChannelRecord
) -> None:
    [top] = (await store.publish(channel, 1)).positions
    assert await PlainPages(store.engine).after(channel, channel.start, 10, MANY) is None
    assert await (await knowing(store, channel)).after(channel, top, 10, MANY) is None


async def test_a_log_that_is_gone_has_no_plain_page(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1)
    pages = await knowing(store, channel)
    await store.channels.delete(channel.id)
    assert await pages.after(channel, channel.start, 10, MANY) is None


async def test_a_page_under_deletes_is_of_the_moment_that_its_revision_says(
    store: Store, channel: ChannelRecord
) -> None:
    positions = (await store.publish(channel, *range(100))).positions
    pages, ids = await knowing(store, channel), [cursor_of(channel, each) for each in positions]

    async def delete() -> None:
        for each in ids:
            await store.log.delete(channel, each, "ann", admin=True)

    deleting = asyncio.create_task(delete())
    revisions = set()
    while not deleting.done():
        page = await pages.after(channel, channel.start, 200, MANY)
        if page is not None:
            revisions.add(page.meta.revision)
            assert data_of(page.frames) == list(range(page.meta.revision, 100))
    await deleting
    assert len(revisions) > 1


def test_a_page_read_while_something_was_taken_away_does_not_count() -> None:
    start, top = Position(5, 0), Position(9, 1)
    meta = LogMeta(start, top, start, 3, 1, 10, 200)
    assert is_undisturbed(meta, meta)
    assert is_undisturbed(meta, meta._replace(top=Position(9, 2), event_count=11, largest_bytes=300))
    assert not is_undisturbed(meta, meta._replace(revision=4))
    assert not is_undisturbed(meta, meta._replace(record_version=2))
    assert not is_undisturbed(meta, meta._replace(top=start))


SIZES = st.lists(st.integers(0, 400), min_size=1, max_size=30)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sizes=SIZES, limit=st.integers(1, 40), at=st.integers(0, 29), gone=st.sets(st.integers(0, 29)), data=st.data())
async def test_it_is_the_page_of_the_script(
    store: Store, sizes: list[int], limit: int, at: int, gone: set[int], data: st.DataObject
) -> None:
    channel = await store.create(f"log-{next(NUMBER)}")
    kinds = data.draw(st.lists(st.sampled_from([None, "a", ""]), min_size=len(sizes), max_size=len(sizes)))
    parent: Cursor | None = None
    places = []
    for size, kind in zip(sizes, kinds, strict=True):
        publisher = None if size % 3 else "ann"
        each = event(channel, "x" * size, kind=kind, publisher=publisher, reply_to=parent if size % 2 else None)
        [place] = (await store.log.append(channel, [each])).positions
        places.append(place)
        parent = cursor_of(channel, place)
    for number in gone & set(range(len(sizes) - 1)):
        await store.log.delete(channel, cursor_of(channel, places[number]), None, admin=True)
    start = places[at] if at < len(places) else channel.start
    plain = await (await knowing(store, channel)).after(channel, start, limit, MANY)
    if plain is None:
        assert start == places[-1]
        return
    scripted = await store.log.after(channel, start, limit=limit)
    frames: list[Frame] = scripted.frames
    assert plain.frames == frames
    assert (plain.more, plain.meta) == (scripted.more, scripted.meta)


async def test_the_log_reads_its_second_page_plainly(store: Store, channel: ChannelRecord) -> None:
    positions = (await store.publish(channel, *range(30))).positions
    first = await store.log.after(channel, channel.start, limit=10)
    second = await store.log.after(channel, first.scanned or channel.start, limit=10)
    assert [each.position for each in first.frames + second.frames] == positions[:20]
