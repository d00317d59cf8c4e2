"""Pages of a log: after a cursor and the newest, with limits, types and a bounded scan (contract 8, design 3)."""

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.channels import ChannelRecord
from broker.cursors import has_gap, start_at, start_since
from broker.events import Frame
from broker.ids import MAX_SEQ, ORIGIN, Cursor, Position
from broker.storage.log import MAX_SCAN, Stale
from tests.stores import Store, cursor_of, data_of, event

A, B, C = (b'"a"', b'"b"', b'"c"')


async def test_a_page_holds_what_lies_after_its_start_up_to_its_limit(store: Store, channel: ChannelRecord) -> None:
    positions = (await store.publish(channel, *range(10))).positions
    page = await store.log.after(channel, positions[2], limit=4)
    assert data_of(page.frames) == [3, 4, 5, 6]
    assert (page.scanned, page.more, page.examined) == (positions[6], True, 4)
    last = await store.log.after(channel, positions[6], limit=3)
    assert (data_of(last.frames), last.more, last.scanned) == ([7, 8, 9], False, positions[9])
    assert last.meta.top == positions[9]


async def test_a_page_at_the_tip_and_one_of_an_empty_log_are_empty(store: Store, channel: ChannelRecord) -> None:
    empty = await store.log.after(channel, channel.start, limit=5)
    assert (empty.frames, empty.scanned, empty.more, empty.meta.top) == ([], None, False, channel.start)
    [top] = (await store.publish(channel, 1)).positions
    for beyond in (top, Position(top.ms + 1_000, 0), Position((1 << 48) - 1, MAX_SEQ)):
        page = await store.log.after(channel, beyond, limit=5)
        assert (page.frames, page.more, page.meta.top) == ([], False, top)


async def test_the_newest_events_come_in_the_order_of_the_log(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, *range(300))
    assert data_of((await store.log.newest(channel, limit=100)).frames) == list(range(200, 300))
    assert data_of((await store.log.newest(channel, limit=1_000)).frames) == list(range(300))


async def test_a_filter_by_type_finds_typed_events_only(store: Store, channel: ChannelRecord) -> None:
    for i, kind in enumerate(("a", None, "b", "", "c", "a")):
        await store.publish(channel, i, kind=kind)
    log, start = store.log, channel.start
    assert data_of((await log.after(channel, start, limit=9, types=frozenset({A}))).frames) == [0, 5]
    assert data_of((await log.after(channel, start, limit=9, types=frozenset({B, C}))).frames) == [2, 4]
    assert data_of((await log.after(channel, start, limit=9, types=frozenset({b'""'}))).frames) == [3]
    assert data_of((await log.newest(channel, limit=1, types=frozenset({A}))).frames) == [5]
    assert (await log.after(channel, start, limit=9, types=frozenset({b'"none"'}))).scanned is not None


async def test_a_full_filtered_page_stops_before_the_next_match(store: Store, channel: ChannelRecord) -> None:
    for i in range(6):
        await store.publish(channel, i, kind="ab"[i % 2])
    page = await store.log.after(channel, channel.start, limit=2, types=frozenset({A}))
    assert (data_of(page.frames), page.more) == ([0, 2], True)
    rest = await store.log.after(channel, page.scanned or ORIGIN, limit=2, types=frozenset({A}))
    assert (data_of(rest.frames), rest.more) == ([4], False)


async def test_a_filtered_read_of_a_long_log_answers_with_more_and_goes_on(
    store: Store, channel: ChannelRecord
) -> None:
    for _ in range(55):
        await store.log.append(channel, [event(channel, 0, kind="b")] * 100)
    await store.publish(channel, "needle", kind="a")
    page = await store.log.after(channel, channel.start, limit=10, types=frozenset({A}))
    assert (page.frames, page.more, page.examined) == ([], True, MAX_SCAN)
    rest = await store.log.after(channel, page.scanned or ORIGIN, limit=10, types=frozenset({A}))
    assert (data_of(rest.frames), rest.more, rest.examined) == (["needle"], False, 501)
    newest = await store.log.newest(channel, limit=10, types=frozenset({A}))
    assert data_of(newest.frames) == ["needle"] and newest.examined == MAX_SCAN


async def test_a_page_ends_with_the_event_that_fills_its_bytes(store: Store, channel: ChannelRecord) -> None:
    positions = (await store.publish(channel, *["x" * 60_000] * 20)).positions
    page = await store.log.after(channel, channel.start, limit=1_000, most_bytes=200_000)
    assert ([frame.position for frame in page.frames], page.more) == (positions[:4], True)
    one = await store.log.after(channel, channel.start, limit=1_000, most_bytes=1)
    assert ([frame.position for frame in one.frames], one.more) == (positions[:1], True)
    last = await store.log.after(channel, positions[-2], limit=1_000, most_bytes=1)
    assert ([frame.position for frame in last.frames], last.more) == (positions[-1:], False)


async def test_every_cursor_of_any_channel_can_be_read_from(store: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1, 2)
    for cursor in (
        Cursor(0, 0, 0),
        Cursor(0, channel.tag, 0),
        Cursor(0, 1, MAX_SEQ),
        Cursor((1 << 48) - 1, 1, MAX_SEQ),
        Cursor(channel.created_ms, 1, 0),
    ):
        start = start_at(cursor, channel.tag)
        page = await store.log.after(channel, start.position, limit=10)
        assert len(page.frames) == (0 if cursor.ms > channel.created_ms else 2)
    assert len((await store.log.after(channel, start_since(0).position, limit=10)).frames) == 2


async def test_an_own_cursor_above_the_top_is_a_gap(store: Store, channel: ChannelRecord) -> None:
    [top] = (await store.publish(channel, 1)).positions
    meta = (await store.log.after(channel, top, limit=1)).meta
    assert not has_gap(start_at(cursor_of(channel, top), channel.tag), meta)
    assert has_gap(start_at(cursor_of(channel, Position(top.ms, top.seq + 1)), channel.tag), meta)


async def test_a_page_with_an_old_record_is_stale(store: Store, other: Store, channel: ChannelRecord) -> None:
    await store.publish(channel, 1)
    await other.change(channel, is_public=False)
    for read in (store.log.after(channel, channel.start, limit=1), store.log.newest(channel, limit=1)):
        with pytest.raises(Stale):
            await read
    await other.channels.delete("news")
    await other.create()
    with pytest.raises(Stale):
        await store.log.newest(channel, limit=1)


@pytest.fixture
async def gappy(store: Store, channel: ChannelRecord) -> list[Frame]:
    """What is left of a log of 120 events of three kinds, a third of them deleted."""
    positions = []
    for i in range(12):
        positions += (await store.publish(channel, *range(10 * i, 10 * i + 10), kind="abc"[i % 3])).positions
    deletes = (store.log.delete(channel, cursor_of(channel, each), None, admin=True) for each in positions[::3])
    await asyncio.gather(*deletes)
    return await store.all(channel)


@given(
    types=st.none() | st.sets(st.sampled_from([A, B, C, b'"none"']), min_size=1),
    limits=st.lists(st.integers(1, 100), min_size=1, max_size=5),
    most_bytes=st.integers(1, 20_000),
    begin=st.integers(-1, 79),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_pages_put_together_are_the_log(
    store: Store,
    channel: ChannelRecord,
    gappy: list[Frame],
    types: set[bytes] | None,
    limits: list[int],
    most_bytes: int,
    begin: int,
) -> None:
    """Whatever the filter, the limits and the bytes of each page: no event twice, none left out (reliability P7)."""
    place = channel.start if begin < 0 else gappy[begin].position
    wanted = None if types is None else frozenset(types)
    expected = [frame for frame in gappy if frame.position > place and (types is None or frame.type_json in types)]
    found: list[Frame] = []
    for limit in itertools.cycle(limits):
        page = await store.log.after(channel, place, limit=limit, types=wanted, most_bytes=most_bytes)
        assert len(page.frames) <= limit
        found += page.frames
        if not page.more:
            break
        assert page.scanned is not None and page.scanned > place
        place = page.scanned
    assert found == expected
