"""The list of channels on a real engine: who sees what, and paging that neither repeats nor skips."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.channels import ChannelRecord, NewChannel
from broker.ids import MAX_TAG, parse_ulid, render_tag
from broker.listing import parse_list_cursor, render_member
from broker.scopes import Reach
from broker.storage.channel_list import MAX_LOOKED_AT, MAX_PAGE_BYTES, ChannelList, ListPage
from broker.storage.channels import Channels
from broker.storage.engine import Engine, open_engine
from broker.storage.keys import partition_keys
from tests.engines import empty

EVERYTHING = Reach(prefixes=("",))
NOBODY = Reach()


@pytest.fixture
def channels(engine: Engine) -> Channels:
    return Channels(engine, most=100_000)


@pytest.fixture
def channel_list(engine: Engine, channels: Channels) -> ChannelList:
    return ChannelList(engine, channels)


async def create(channels: Channels, *ids: str, is_public: bool = False, **fields: Any) -> list[ChannelRecord]:
    return [await channels.create(NewChannel(each, each, is_public=is_public, **fields)) for each in ids]


async def stop_the_clock(engine: Engine) -> None:
    """From now on all channels are created in one millisecond, as by a clock that was set back."""
    ahead_ms = await engine.now_ms() + 3_600_000
    for number in range(engine.partitions):
        await engine.client.set(partition_keys(number).floor, ahead_ms)


@asynccontextmanager
async def over_and_over(*acts: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do these things, each again and again, until the block ends."""
    is_over = False

    async def repeat(act: Callable[[], Awaitable[None]]) -> None:
        while not is_over:
            await act()

    tasks = [asyncio.create_task(repeat(act)) for act in acts]
    try:
        yield
    finally:
        # Not cancelled: redis-py loses cancellations.
        is_over = True
        await asyncio.gather(*tasks)


async def pages(channel_list: ChannelList, reach: Reach, limit: int) -> AsyncIterator[ListPage]:
    below, more = None, True
    while more:
        page = await channel_list.page(reach, limit=limit, below=below)
        assert len(page.listed) <= limit
        places = [(listed.record.created_ms, listed.record.tag) for listed in page.listed]
        assert places == sorted(places, reverse=True)
        yield page
        more = page.cursor is not None
        if page.cursor is not None:
            bound = parse_list_cursor(page.cursor)
            assert below is None or bound < below, "the cursor moves on"
            below = bound


async def walk(channel_list: ChannelList, reach: Reach, limit: int = 3) -> list[str]:
    return [listed.record.id async for page in pages(channel_list, reach, limit) for listed in page.listed]


async def test_the_newest_comes_first(channels: Channels, channel_list: ChannelList) -> None:
    records = []
    for i in range(5):
        records += await create(channels, f"channel-{i}")
        await asyncio.sleep(0.002)
    assert await walk(channel_list, EVERYTHING) == [record.id for record in reversed(records)]


async def test_each_sees_what_is_public_or_in_reach(channels: Channels, channel_list: ChannelList) -> None:
    await create(channels, "open-one", "open-two", is_public=True)
    await create(channels, "team-one", "team-two", "other-one")
    for reach, expected in (
        (NOBODY, {"open-one", "open-two"}),
        (Reach(frozenset({"team-one", "open-one", "no-such"})), {"open-one", "open-two", "team-one"}),
        (Reach(prefixes=("team-", "open-")), {"open-one", "open-two", "team-one", "team-two"}),
        (
            Reach(frozenset({"other-one", "team-one"}), ("team-",)),
            {"open-one", "open-two", "team-one", "team-two", "other-one"},
        ),
        (EVERYTHING, {"open-one", "open-two", "team-one", "team-two", "other-one"}),
    ):
        for limit in (1, 2, 100):
            seen = await walk(channel_list, reach, limit)
            assert (set(seen), len(seen)) == (expected, len(expected)), (reach, limit)


async def test_reserved_channels_are_in_no_list(channels: Channels, channel_list: ChannelList) -> None:
    for channel_id in ("live-watch-a", "system-auth"):
        await create(channels, channel_id, is_public=True)
        await channels.change(channel_id, lambda record: replace(record, name="changed"))
    reserved = Reach(frozenset({"live-watch-a"}), ("live-", "system-"))
    for reach in (EVERYTHING, NOBODY, reserved):
        assert await walk(channel_list, reach) == []


async def test_an_empty_list_has_no_cursor(channel_list: ChannelList) -> None:
    assert await channel_list.page(EVERYTHING, limit=5, below=None) == ListPage([], None)


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_only_a_list_that_goes_on_has_a_cursor(channels: Channels, channel_list: ChannelList, more: int) -> None:
    await create(channels, *(f"channel-{i}" for i in range(5 + more)))
    page = await channel_list.page(EVERYTHING, limit=5, below=None)
    assert (len(page.listed), page.cursor is not None) == (min(5, 5 + more), more > 0)


async def test_channels_of_one_millisecond_are_neither_skipped_nor_repeated(
    engine: Engine, channels: Channels, channel_list: ChannelList
) -> None:
    await stop_the_clock(engine)
    ids = [f"channel-{i}" for i in range(300)]
    await create(channels, *ids)
    for limit in (7, 299, 300):
        assert sorted(await walk(channel_list, EVERYTHING, limit)) == sorted(ids)


async def test_a_channel_is_listed_as_it_is_now(channels: Channels, channel_list: ChannelList) -> None:
    await create(channels, "news")
    await channels.change("news", lambda record: replace(record, is_public=True, name="Changed"))
    [listed] = (await channel_list.page(NOBODY, limit=1, below=None)).listed
    assert (listed.record.name, listed.meta.record_version) == ("Changed", 2)
    await channels.change("news", lambda record: replace(record, is_public=False))
    assert await walk(channel_list, NOBODY) == []
    await channels.delete("news")
    assert await walk(channel_list, EVERYTHING) == []


async def test_a_page_of_large_records_ends_early(channels: Channels, channel_list: ChannelList) -> None:
    ids = [f"channel-{i:03d}" for i in range(30)]
    await create(channels, *ids, meta={"a": "x" * 100_000})
    found = [page async for page in pages(channel_list, EVERYTHING, 30)]
    assert sorted(listed.record.id for page in found for listed in page.listed) == ids
    assert max(sum(each.record_bytes for each in page.listed) for page in found) < MAX_PAGE_BYTES + 101_000
    assert len(found) == 3


async def test_one_request_looks_at_so_many_channels_and_no_more(
    engine: Engine, channels: Channels, channel_list: ChannelList
) -> None:
    """Of 100,000 channels one is in reach, the oldest; the walk to it is some short requests."""
    [oldest] = await create(channels, "team-old")
    strangers = 100_000
    for number in range(engine.partitions):
        mapping = {
            render_member(oldest.created_ms + 1 + i, render_tag(i), f"stranger-{i}"): 0
            for i in range(number, strangers, engine.partitions)
        }
        await engine.client.zadd(partition_keys(number).channels, mapping)
    found = [page async for page in pages(channel_list, Reach(prefixes=("team-",)), 50)]
    assert [[listed.record.id for listed in page.listed] for page in found] == [[]] * (len(found) - 1) + [["team-old"]]
    assert strangers / MAX_LOOKED_AT <= len(found) < 60


async def test_a_channel_that_is_named_needs_no_walk(channels: Channels, channel_list: ChannelList) -> None:
    await create(channels, "mine-old")
    await create(channels, *(f"other-{i}" for i in range(200)))
    page = await channel_list.page(Reach(frozenset({"mine-old"})), limit=1, below=None)
    assert ([listed.record.id for listed in page.listed], page.cursor) == (["mine-old"], None)


async def test_a_cursor_tells_nothing_of_a_channel_out_of_reach(channels: Channels, channel_list: ChannelList) -> None:
    records = await create(channels, *(f"secret-{i:03d}" for i in range(400)))
    tags = {record.tag for record in records}
    async for page in pages(channel_list, Reach(prefixes=("team-",)), 1):
        assert page.listed == []
        assert page.cursor is None or parse_ulid(page.cursor).tag in tags


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["create", "delete", "again", "public", "private"]), st.integers(0, 29)), max_size=12
)


@given(
    kinds=st.lists(st.sampled_from(["public", "team", "other"]), min_size=1, max_size=20),
    between=st.lists(OPERATIONS, max_size=6),
    limit=st.integers(1, 6),
    reach=st.sampled_from([EVERYTHING, NOBODY, Reach(prefixes=("team",)), Reach(frozenset({"team-0", "other-1"}))]),
    is_stopped=st.booleans(),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_there_all_along_is_listed_once_whatever_happens_between_the_pages(
    engine_url: str, kinds: list[str], between: list[Any], limit: int, reach: Reach, is_stopped: bool
) -> None:
    empty(engine_url)
    engine = await open_engine(engine_url)
    if is_stopped:
        await stop_the_clock(engine)
    channels = Channels(engine, most=1_000)
    for i, kind in enumerate(kinds):
        await create(channels, f"{kind}-{i}", is_public=kind == "public")
    changes = Changes(channels, [f"{kind}-{i}" for i, kind in enumerate(kinds)])
    stable = {i for i, kind in enumerate(kinds) if kind == "public" or reach.includes(f"{kind}-{i}")}
    stable -= {number for operations in between for _, number in operations}
    seen: list[tuple[str, int]] = []
    turns = iter(between)
    async for page in pages(ChannelList(engine, channels), reach, limit):
        seen += [(listed.record.id, listed.record.tag) for listed in page.listed]
        for operation, number in next(turns, []):
            await changes.make(operation, number)
    await engine.close()
    assert len(set(seen)) == len(seen)
    listed_ids = [channel_id for channel_id, _ in seen]
    assert {f"{kinds[i]}-{i}" for i in stable} <= set(listed_ids)
    assert all(listed_ids.count(f"{kinds[i]}-{i}") == 1 for i in stable)


class Changes:
    """What happens between pages, to channels known by number."""

    def __init__(self, channels: Channels, ids: list[str]) -> None:
        self._channels = channels
        self._ids = dict(enumerate(ids))

    async def make(self, operation: str, number: int) -> None:
        channel_id = self._ids.setdefault(number, f"team-late-{number}")
        exists = await self._exists(channel_id)
        if operation in ("delete", "again") and exists:
            await self._channels.delete(channel_id)
        if operation == "again" or (operation == "create" and not exists):
            await create(self._channels, channel_id)
        if operation in ("public", "private") and exists:
            is_public = operation == "public"
            await self._channels.change(channel_id, lambda record: replace(record, is_public=is_public))

    async def _exists(self, channel_id: str) -> bool:
        return bool(await self._channels.load([channel_id]))


async def test_what_is_there_all_along_is_listed_once_while_others_come_and_go(
    channels: Channels, channel_list: ChannelList
) -> None:
    """The oldest of those that come and go are created again while a page of all is being loaded."""
    stable, coming = [f"stable-{i}" for i in range(30)], [f"coming-{i}" for i in range(400)]
    await create(channels, *stable[:15], *coming, *stable[15:])
    rotation = itertools.cycle(coming)

    async def come_and_go() -> None:
        channel_id = next(rotation)
        await channels.delete(channel_id)
        await create(channels, channel_id)

    async with over_and_over(*[come_and_go] * 2):
        for limit in (30, 500, 500, 500, 500, 500):
            seen = await walk(channel_list, EVERYTHING, limit)
            assert {seen.count(channel_id) for channel_id in stable} == {1}


async def test_a_channel_turned_private_while_it_is_listed_is_not_shown_to_strangers(
    channels: Channels, channel_list: ChannelList
) -> None:
    """The index and the record are read one after the other; the record decides."""
    await create(channels, *(f"channel-{i}" for i in range(40)), is_public=True)

    async def flip(channel_id: str) -> None:
        await channels.change(channel_id, lambda record: replace(record, is_public=not record.is_public))

    async with over_and_over(*(partial(flip, f"channel-{i}") for i in range(8))):
        for _ in range(30):
            page = await channel_list.page(NOBODY, limit=100, below=None)
            assert all(listed.record.is_public for listed in page.listed)
            assert len(page.listed) >= 32


@pytest.mark.parametrize("ms", [0, 1 << 47])
async def test_any_ulid_is_a_place_in_the_list(channels: Channels, channel_list: ChannelList, ms: int) -> None:
    await create(channels, "news")
    below = render_member(ms, render_tag(MAX_TAG)).encode()
    assert len((await channel_list.page(EVERYTHING, limit=5, below=below)).listed) == (1 if ms else 0)
