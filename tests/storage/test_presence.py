"""Presence through a real engine: several processes, those that die, an engine that forgets, and what it all costs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.channels import ChannelRecord
from broker.errors import Unavailable
from broker.presence import Guest, Person, Seat
from broker.storage.engine import Engine
from broker.storage.keys import log_keys, partition_keys, presence_key, processes_key
from broker.storage.presence import Presence, PresenceTimes
from broker.storage.scripts import REPORT_PRESENCE
from tests.engine_proxy import engine_proxy
from tests.engines import empty
from tests.stores import Store, open_store, running

ANN, BOB = Person("ann", "Ann"), Person("bob", None)
BRIEF = PresenceTimes(gather_s=0.05, beat_s=0.1, gone_s=0.5, again_s=1.0, kept_s=2.0)


@pytest.fixture
def here(store: Store) -> Presence:
    return Presence(store.engine)


@pytest.fixture
def there(other: Store) -> Presence:
    return Presence(other.engine)


async def until_count(presence: Presence, channel: ChannelRecord, count: int) -> None:
    async with asyncio.timeout(10):
        while await presence.count(channel) != count:
            await asyncio.sleep(0.01)


async def kept(engine: Engine, channel: ChannelRecord) -> dict[bytes, bytes]:
    key = presence_key(channel.partition, channel.id, channel.tag)
    found: Any = await engine.client.hgetall(key)
    return dict(found)


async def test_a_process_knows_its_own_readers_before_it_told_of_them(here: Presence, channel: ChannelRecord) -> None:
    here.enter(channel, ANN)
    assert await here.count(channel) == 1
    assert [guest.person for guest in (await here.present(channel)).guests] == [ANN]


async def test_the_readers_of_another_process_are_known_once_they_were_told(
    here: Presence, there: Presence, channel: ChannelRecord
) -> None:
    here.enter(channel, None)
    seat = there.enter(channel, ANN)
    there.enter(channel, BOB)
    await there.tell()
    assert await here.count(channel) == 3
    present = await here.present(channel)
    assert [guest.person for guest in present.guests] == [ANN, BOB]
    assert (present.readers, present.anonymous) == (3, 1)
    seat.leave()
    await there.tell()
    assert [guest.person for guest in (await here.present(channel)).guests] == [BOB]


async def test_channels_are_told_apart_also_one_that_is_created_again(
    store: Store, here: Presence, there: Presence, channel: ChannelRecord
) -> None:
    there.enter(channel, ANN)
    await there.tell()
    sports = await store.create("sports")
    await store.channels.delete(channel.id)
    again = await store.create(channel.id)
    assert [await here.count(each) for each in (channel, sports, again)] == [1, 0, 0]


async def test_a_process_that_leaves_takes_its_readers_with_it_at_once(
    here: Presence, there: Presence, channel: ChannelRecord
) -> None:
    there.enter(channel, ANN)
    await there.tell()
    await there.withdraw()
    assert await here.count(channel) == 0


async def test_a_process_that_is_silent_counts_no_more_and_its_words_are_removed(
    store: Store, other: Store, channel: ChannelRecord
) -> None:
    here, there = Presence(store.engine, BRIEF), Presence(other.engine, BRIEF)
    there.enter(channel, ANN)
    await there.tell()
    here.enter(channel, BOB)
    async with running(here.run()):
        await until_count(here, channel, 2)
        await until_count(here, channel, 1)
        assert [guest.person for guest in (await here.present(channel)).guests] == [BOB]
        async with asyncio.timeout(10):
            while len(await kept(store.engine, channel)) != 2:
                await asyncio.sleep(0.02)


async def test_nothing_is_kept_of_processes_that_are_gone(store: Store, channel: ChannelRecord) -> None:
    presence = Presence(store.engine, PresenceTimes(gone_s=0.1, kept_s=0.2))
    presence.enter(channel, ANN)
    await presence.tell()
    keys = [processes_key(channel.partition), presence_key(channel.partition, channel.id, channel.tag)]
    assert await store.engine.client.exists(*keys) == 2
    async with asyncio.timeout(5):
        while await store.engine.client.exists(*keys):
            await asyncio.sleep(0.02)


async def test_a_process_that_lives_goes_on_counting_though_nothing_changes(
    store: Store, other: Store, channel: ChannelRecord
) -> None:
    here, there = Presence(store.engine, BRIEF), Presence(other.engine, BRIEF)
    there.enter(channel, ANN)
    async with running(there.run()):
        await until_count(here, channel, 1)
        until_s = asyncio.get_running_loop().time() + 2 * BRIEF.kept_s
        while asyncio.get_running_loop().time() < until_s:
            assert await here.count(channel) == 1
            await asyncio.sleep(0.05)


async def test_an_engine_that_forgot_everything_is_told_again(
    store: Store, other: Store, channel: ChannelRecord, engine_url: str
) -> None:
    here = Presence(store.engine, BRIEF)
    there = Presence(other.engine, PresenceTimes(gather_s=0.05, beat_s=0.1, gone_s=5.0))
    there.enter(channel, ANN)
    async with running(there.run()):
        await until_count(here, channel, 1)
        empty(engine_url)
        assert await here.count(channel) == 0
        await until_count(here, channel, 1)


async def test_what_could_not_be_told_is_told_when_the_engine_is_back(
    here: Presence, channel: ChannelRecord, engine_url: str, tmp_path: Path
) -> None:
    async with engine_proxy(engine_url, tmp_path) as proxy, open_store(proxy.url, reply_timeout_s=0.3) as behind:
        there = Presence(behind.engine)
        there.enter(channel, ANN)
        proxy.is_hole = True
        proxy.cut()
        with pytest.raises(Unavailable):
            await there.tell()
        proxy.is_hole = False
        proxy.cut()
        assert await here.count(channel) == 0
        await there.tell()
        assert await here.count(channel) == 1


async def test_the_names_of_a_channel_are_bounded_however_many_people_read_it(
    here: Presence, there: Presence, channel: ChannelRecord, store: Store
) -> None:
    for i in range(300):
        there.enter(channel, Person(f"subject-{i:04}", None))
    await there.tell()
    present = await here.present(channel)
    assert (present.readers, len(present.guests), present.truncated) == (300, 100, True)
    assert present.guests[0] == Guest("subject-0000", None, present.guests[0].since_ms, 1)
    assert max(map(len, (await kept(store.engine, channel)).values())) < 100 * 60


async def test_ten_thousand_channels_are_told_in_hundreds_and_a_sign_of_life_is_one_call_a_partition(
    store: Store, channel: ChannelRecord
) -> None:
    presence = Presence(store.engine, PresenceTimes(beat_s=0.0))
    for i in range(10_000):
        presence.enter(_record(channel, i, store.engine.partitions), None)
    before = sum(REPORT_PRESENCE.times.counts)
    await presence.tell()
    told = sum(REPORT_PRESENCE.times.counts) - before
    await presence.tell()
    beats = sum(REPORT_PRESENCE.times.counts) - before - told
    assert told <= 10_000 / 100 + store.engine.partitions
    assert beats == store.engine.partitions


def _record(channel: ChannelRecord, number: int, partitions: int) -> ChannelRecord:
    return ChannelRecord(f"c-{number}", number, number % partitions, 0, 1, "n", None, (), True, None, None)


@pytest.fixture
async def seats(here: Presence, channel: ChannelRecord) -> AsyncIterator[list[Seat]]:
    yield [here.enter(channel, ANN) for _ in range(3)]


async def test_a_burst_of_changes_is_one_call(here: Presence, channel: ChannelRecord, seats: list[Seat]) -> None:
    for seat in seats:
        seat.leave()
    before = sum(REPORT_PRESENCE.times.counts)
    here.enter(channel, BOB)
    await here.tell()
    await here.tell()
    assert sum(REPORT_PRESENCE.times.counts) - before == 1


def test_presence_is_no_part_of_the_log(channel: ChannelRecord) -> None:
    own = log_keys(channel.partition, channel.id, channel.tag)
    names = {presence_key(channel.partition, channel.id, channel.tag), processes_key(channel.partition)}
    assert not names & {*own, *partition_keys(channel.partition)}
