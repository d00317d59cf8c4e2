"""Channels where others are faster: changes overtaken, old records and cursors; and where server or engine is full."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from broker.channels import ChannelRecord, NewChannel
from broker.cursors import has_gap, start_at
from broker.errors import Conflict, NotFound, TooMany, Unavailable
from broker.events import Stored
from broker.ids import parse_ulid, render_ulid
from broker.storage.appender import Appender, Retention
from broker.storage.channels import CHANGE_ATTEMPTS, Channels
from broker.storage.engine import Engine, open_engine
from broker.storage.keys import record_key
from broker.storage.log import Log
from tests.engines import tell

EVENT = Stored(None, "me", None, b'"data":1}')


@pytest.fixture
def channels(engine: Engine) -> Channels:
    return Channels(engine, most=1_000)


@pytest.fixture
def log(engine: Engine) -> Log:
    return Log(engine, Appender(engine, Retention(7, 10_000, 60)))


def elsewhere(url: str, act: Callable[[Channels], Awaitable[Any]]) -> None:
    """Do something on another loop with connections of its own, as another process would, and wait until it is done."""

    async def run() -> None:
        engine = await open_engine(url)
        await act(Channels(engine, most=1_000))
        await engine.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()


def renamed(name: str) -> Callable[[ChannelRecord], ChannelRecord]:
    return lambda record: replace(record, name=name)


async def test_a_full_server_tells_a_conflict_first_and_has_room_again_after_a_delete(engine: Engine) -> None:
    channels = Channels(engine, most=1)
    await channels.create(NewChannel("one", "One"))
    with pytest.raises(Conflict):
        await channels.create(NewChannel("one", "One"))
    with pytest.raises(TooMany):
        await channels.create(NewChannel("two", "Two"))
    await channels.delete("one")
    assert (await channels.create(NewChannel("two", "Two"))).id == "two"


async def test_reserved_channels_do_not_count(engine: Engine) -> None:
    channels = Channels(engine, most=1)
    for channel_id in ("live-team-a", "live-team-b"):
        await channels.create(NewChannel(channel_id, "L", is_public=True))
    assert await channels.count() == 0
    await channels.create(NewChannel("one", "One"))


async def test_a_change_is_decided_again_when_another_process_was_faster(engine_url: str, channels: Channels) -> None:
    await channels.create(NewChannel("news", "first"))
    seen: list[str] = []

    def overtaken_once(record: ChannelRecord) -> ChannelRecord:
        if not seen:
            elsewhere(engine_url, lambda other: other.change("news", renamed("theirs")))
        seen.append(record.name)
        return replace(record, name=f"{record.name}, then mine")

    changed = await channels.change("news", overtaken_once)
    assert (changed.name, seen, changed.version) == ("theirs, then mine", ["first", "theirs"], 3)
    assert await channels.refresh("news") == changed


async def test_a_change_that_is_always_overtaken_gives_up_and_is_not_made(engine_url: str, channels: Channels) -> None:
    key = record_key((await channels.create(NewChannel("news", "first"))).partition, "news")
    attempts = 0

    def always_overtaken(record: ChannelRecord) -> ChannelRecord:
        nonlocal attempts
        attempts += 1
        tell(engine_url, f"HINCRBY {key} version 1")
        return replace(record, name="mine")

    with pytest.raises(Unavailable) as refusal:
        await channels.change("news", always_overtaken)
    assert (attempts, refusal.value.retry_after_s) == (CHANGE_ATTEMPTS, 1)
    assert (await channels.refresh("news")).name == "first"


async def test_changes_of_one_process_queue_and_none_is_lost(channels: Channels) -> None:
    await channels.create(NewChannel("news", "News"))

    def also(key: str) -> Callable[[ChannelRecord], ChannelRecord]:
        return lambda record: replace(record, meta={**(record.meta or {}), key: 1})

    await asyncio.gather(*(channels.change("news", also(str(i))) for i in range(30)))
    assert (await channels.refresh("news")).meta == {str(i): 1 for i in range(30)}


async def test_a_change_that_changes_nothing_writes_nothing(channels: Channels) -> None:
    before = await channels.create(NewChannel("news", "News", meta={"a": 1}))
    revision = (await channels.listed("news")).meta.revision
    assert await channels.change("news", lambda record: replace(record, meta={"a": 1})) == before
    assert (await channels.listed("news")).meta.revision == revision
    assert (await channels.change("news", lambda record: replace(record, meta={"a": True}))).version == 2


async def test_a_channel_deleted_while_it_is_changed_is_not_found(engine_url: str, channels: Channels) -> None:
    await channels.create(NewChannel("news", "News"))

    def deleted(record: ChannelRecord) -> ChannelRecord:
        elsewhere(engine_url, lambda other: other.delete("news"))
        return replace(record, name="mine")

    with pytest.raises(NotFound):
        await channels.change("news", deleted)


async def test_a_channel_created_again_while_it_is_changed_is_decided_anew(engine_url: str, channels: Channels) -> None:
    await channels.create(NewChannel("news", "old"))
    seen: list[str] = []

    async def create_again(other: Channels) -> None:
        await other.delete("news")
        await other.create(NewChannel("news", "new"))

    def replaced_once(record: ChannelRecord) -> ChannelRecord:
        if not seen:
            elsewhere(engine_url, create_again)
        seen.append(record.name)
        return replace(record, description="mine")

    changed = await channels.change("news", replaced_once)
    assert (changed.name, changed.description, seen) == ("new", "mine", ["old", "new"])


async def test_of_racing_deletes_one_finds_the_channel(engine: Engine, channels: Channels) -> None:
    await channels.create(NewChannel("news", "News"))
    processes = [Channels(engine, most=1_000) for _ in range(5)]
    outcomes = await asyncio.gather(*(each.delete("news") for each in processes), return_exceptions=True)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, NotFound) for outcome in outcomes) == 4


async def test_the_cursor_of_a_channel_before_it_was_created_again_is_a_gap(channels: Channels, log: Log) -> None:
    old = await channels.create(NewChannel("news", "News"))
    cursor = parse_ulid(render_ulid(old.tag_letters, (await log.append(old, [EVENT])).positions[0]))
    await channels.delete("news")
    new = await channels.create(NewChannel("news", "News"))
    event = (await log.append(new, [EVENT])).positions[0]

    start = start_at(cursor, new.tag)
    page = await log.after(new, start.position, limit=10)
    assert (start.own, has_gap(start, page.meta)) == (False, True)
    assert [frame.position for frame in page.frames] == [event]


async def test_a_channel_can_be_deleted_from_a_full_engine_and_none_created(
    engine_url: str, channels: Channels
) -> None:
    await channels.create(NewChannel("news", "News"))
    tell(engine_url, "CONFIG SET maxmemory 1")
    try:
        with pytest.raises(Unavailable):
            await channels.create(NewChannel("more", "More"))
        await channels.delete("news")
    finally:
        tell(engine_url, "CONFIG SET maxmemory 0")
    assert await channels.count() == 0


async def test_a_cached_record_may_be_old_and_a_refreshed_one_is_not(engine: Engine, channels: Channels) -> None:
    old = await channels.create(NewChannel("news", "News"))
    other = Channels(engine, most=1)
    changed = await other.change("news", renamed("Changed"))
    assert await channels.find("news") == old
    assert await channels.refresh("news") == await channels.find("news") == changed
    await other.delete("news")
    assert await channels.find("news") == changed
    for read in (channels.refresh, channels.find):
        with pytest.raises(NotFound):
            await read("news")


@pytest.mark.parametrize("channel_id", ["", "no such", "news:x", "{p00}:channels", "é", "x" * 9_000])
async def test_any_text_may_be_asked_for(channels: Channels, channel_id: str) -> None:
    with pytest.raises(NotFound):
        await channels.find(channel_id)
    with pytest.raises(NotFound):
        await channels.listed(channel_id)
    with pytest.raises(NotFound):
        await channels.delete(channel_id)
