"""Slots that move while channels in them are published to and read: nothing lost, nothing twice, order kept."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise

from broker.change import Answer, Change, DocumentKey, Entry, Put, emit
from broker.channels import ChannelRecord
from broker.errors import Unavailable
from broker.idempotency import make_key
from broker.scheduler import SchedulerLimits
from broker.storage.channels import keys_of
from broker.storage.cluster.slots import slot_of_key
from broker.storage.keys import partition_keys
from broker.storage.state import Loaded
from broker.timers import Timer
from tests.clockwork import fired, log_of, name_of, raise_counter, worker
from tests.clusters import Cluster, wait_until
from tests.live import QUICK, Follower, Live, open_live
from tests.stores import Store, cursor_of, data_of, open_store

PATIENT = replace(QUICK, vouch_s=20.0)


class Publisher:
    """Publishes numbers, each until it is acknowledged, with its Idempotency-Key."""

    def __init__(self, store: Store, channel: ChannelRecord, name: str) -> None:
        self._store = store
        self._channel = channel
        self._name = name
        self.acknowledged: list[str] = []
        self.refusals = 0
        self.is_wanted = True

    async def run(self) -> None:
        number = 0
        while self.is_wanted:
            value = f"{self._name}-{number}"
            try:
                await self._store.publish(self._channel, value, key=value)
            except Unavailable:
                self.refusals += 1
                continue
            self.acknowledged.append(value)
            number += 1


@asynccontextmanager
async def publishing(publishers: list[Publisher]) -> AsyncIterator[None]:
    """All publish while the block runs, and end what they began after it."""
    tasks = asyncio.gather(*(publisher.run() for publisher in publishers))
    try:
        yield
    finally:
        for publisher in publishers:
            publisher.is_wanted = False
        await tasks


async def move_to_and_fro(cluster: Cluster, partition: int) -> None:
    """Move a partition's slot to each other node and home again, its keys a few at a time."""
    slot, home = slot_of_key(partition_keys(partition).floor), cluster.owner(partition)
    places = [home, *(node for node in cluster.primaries if node is not home), home]
    for source, target in pairwise(places):
        await asyncio.to_thread(cluster.give, slot, source, target)
        at_once = 2
        while await asyncio.to_thread(cluster.carry, slot, source, target, at_once=at_once):
            at_once *= 2  # each publish leaves the key of its answer behind
            await asyncio.sleep(random.uniform(0, 0.02))
        await asyncio.to_thread(cluster.settle, slot, target)
        await asyncio.to_thread(wait_until, partial(cluster.agrees, slot, target))
        # And for the nodes to hear of each other's new epochs.
        await asyncio.sleep(0.3)


async def test_slots_that_move_under_load_lose_nothing_and_double_nothing(cluster: Cluster) -> None:
    async with (
        open_live(cluster.url, PATIENT, reply_timeout_s=5.0) as one,
        open_live(cluster.url, PATIENT, reply_timeout_s=5.0) as two,
    ):
        names = [cluster.name_in(partition) for partition in (0, 2, 3)]
        channels = [await one.store.create(name) for name in names]
        publishers = [
            Publisher(live.store, channel, f"{i}-{j}")
            for i, channel in enumerate(channels)
            for j, live in enumerate((one, two))
        ]
        followers = [await live.follow(channel, channel.start) for channel in channels for live in (one, two)]
        async with publishing(publishers):
            # One after the other, as redis-cli does: nodes that take slots at once may do so under one epoch.
            for channel in channels[:2]:
                await move_to_and_fro(cluster, channel.partition)
            async with asyncio.timeout(20):
                while any(len(publisher.acknowledged) <= 10 for publisher in publishers):
                    await asyncio.sleep(0.05)
        await judge(one, channels, publishers, followers)


async def judge(
    live: Live, channels: list[ChannelRecord], publishers: list[Publisher], followers: list[Follower]
) -> None:
    """Each channel has what each of its two publishers was told, once and in order, and each reader saw just that."""
    for i, channel in enumerate(channels):
        log = data_of(await live.store.all(channel))
        for publisher in publishers[2 * i : 2 * i + 2]:
            mine = [value for value in log if value.startswith(publisher.acknowledged[0][:3])]
            assert mine[: len(publisher.acknowledged)] == publisher.acknowledged
            assert len(set(mine)) == len(mine)
        for follower in followers[2 * i : 2 * i + 2]:
            assert await follower.got(len(log), timeout_s=10) == log


async def test_a_trim_while_its_slot_moves_is_whole(cluster: Cluster) -> None:
    """What a script has emptied, and so removed, it cannot write again: that key would be asked for at the target."""
    async with open_store(cluster.url) as store:
        channel = await store.create(cluster.name_in(0), retention_events=1)
        first = (await store.publish(channel, 0)).positions[0]
        for i in range(3):
            await store.publish(channel, i, reply_to=cursor_of(channel, first))
        slot, owner, other = slot_of_key(keys_of(channel).meta), cluster.owner(0), cluster.primaries[0]
        cluster.give(slot, owner, other)
        try:
            assert await store.trimmer.sweep() == 3
            due = await store.engine.client.zscore(partition_keys(channel.partition).trims, channel.id)
            assert due is not None, "the one that is left is due in its time"
        finally:
            while cluster.carry(slot, owner, other):
                pass
            cluster.settle(slot, other)
            cluster.move(slot, other, owner)


class Counter:
    """Counts in a document, and tells of each number on a log: each until it is acknowledged, with its key."""

    def __init__(self, store: Store, owner: str, name: str) -> None:
        self._store = store
        self._owner = owner
        self._name = name
        self.acknowledged = 0
        self.is_wanted = True

    async def run(self) -> None:
        document = DocumentKey("thing", f"{self._owner}/count")

        def decide(loaded: Loaded) -> Change:
            found = loaded.documents[document]
            count = int(found.body) + 1 if found else 1
            # Into one index and out of another, each time.
            entry = Entry(("even", "odd")[count % 2], count, document.id)
            put = Put(document, found.version if found else 0, str(count).encode(), (entry,))
            told = emit(self._owner, "lifecycle.thing.counted", count, "system-lifecycle")
            return Change((put,), (told,), answer=Answer(200, b"done", self._owner))

        while self.is_wanted:
            text = f"{self._name}-{self.acknowledged}"
            key = make_key(text, 128, principal="p", method="POST", path="/x", body=b"{}")
            try:
                await self._store.commits.execute(self._owner, [document], decide, logs=(self._owner,), key=key)
            except Unavailable:
                continue
            self.acknowledged += 1


async def test_commits_while_their_slot_moves_are_whole_and_each_is_made_once(cluster: Cluster) -> None:
    """The document, the event and the kept answer of a commit: what says that it was made, says so together."""
    async with open_store(cluster.url) as one, open_store(cluster.url) as two:
        channel = await one.create(cluster.name_in(2))
        counters = [Counter(store, channel.id, name) for store, name in ((one, "a"), (two, "b"), (two, "c"))]
        tasks = asyncio.gather(*(counter.run() for counter in counters))
        try:
            await move_to_and_fro(cluster, channel.partition)
        finally:
            for counter in counters:
                counter.is_wanted = False
            await tasks
        total = sum(counter.acknowledged for counter in counters)
        assert total > 30
        assert data_of(await one.all(channel)) == list(range(1, total + 1))
        pages = [await one.reader.page(channel.partition, "thing", index) for index in ("even", "odd")]
        assert [page.total for page in pages] == [total % 2 == 0, total % 2 == 1]


async def test_timers_that_are_due_while_their_slot_moves_are_each_done_once_and_none_early(cluster: Cluster) -> None:
    owner, count = cluster.name_in(2), 120
    async with open_store(cluster.url) as one, open_store(cluster.url) as two:
        channel = await one.channels.ensure(log_of(owner))
        now_ms = await one.engine.now_ms(channel.partition)
        timers = [Timer(name_of(f"t{i}", owner), now_ms + 25 * i) for i in range(count)]
        await one.commits.execute(owner, [], lambda _: Change(timers=tuple(timers)))
        limits = SchedulerLimits(lease_s=2.0, look_s=0.2)
        async with (
            worker(one, limits, on_timer=partial(raise_counter, one)),
            worker(two, limits, on_timer=partial(raise_counter, two)),
        ):
            await move_to_and_fro(cluster, channel.partition)
            async with asyncio.timeout(40):
                while len(await fired(one, owner)) < count:
                    await asyncio.sleep(0.05)
        seen = await fired(one, owner)
        assert sorted(str(each["subject"]) for each in seen) == sorted(timer.name.subject for timer in timers)
        assert all(each["count"] == 1 and int(each["late_ms"]) >= 0 for each in seen)
