"""A primary killed and its replica promoted: what is acknowledged, what is lost, and that it is said."""

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.errors import Unavailable
from broker.ids import parse_ulid
from broker.storage.appender import Ack
from broker.storage.channels import keys_of
from broker.storage.presence import Presence
from tests.clusters import QUICK_MS, Cluster, Node, running_cluster, wait_until
from tests.engines import SYSTEM
from tests.live import QUICK, open_live
from tests.storage.cluster.test_slot_moves import Publisher, publishing
from tests.stores import cursor_of, data_of, open_store

PATIENT = replace(QUICK, vouch_s=30.0)
AN_HOUR_MS = 3_600_000
MINE = (2, 6, 11, 15)
"""Partitions of the first primary, which has a replica."""


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose first primary has a replica, of the servers that know the least."""
    with running_cluster(tmp_path / "cluster", SYSTEM, replicas=1, timeout_ms=QUICK_MS) as cluster:
        yield cluster


def cut_off(cluster: Cluster) -> None:
    """From now on the replica gets nothing: it is stopped, and the connection it was to read from is closed."""
    cluster.replicas[0].signal(signal.SIGSTOP)
    cluster.primaries[0].tell("CLIENT", "KILL", "TYPE", "replica")


def fail_over(cluster: Cluster) -> Node:
    """Kill the first primary, let its replica go on, and return that as soon as it is the primary."""
    replica = cluster.replicas[0]
    cluster.primaries[0].kill()
    replica.signal(signal.SIGCONT)
    wait_until(lambda: replica.client.info("replication")["role"] == "master")
    wait_until(lambda: b"cluster_state:ok" in replica.tell("CLUSTER", "INFO"))
    return replica


async def test_what_a_fail_over_loses_is_told_and_ids_stay_above_it(breakable: Cluster) -> None:
    async with open_live(breakable.url, PATIENT) as live:
        name = breakable.name_in(*MINE)
        async with open_store(breakable.url, ack=Ack(400)) as careful:
            channel = await careful.create(name)
            kept = (await careful.publish(channel, "kept")).positions[0]
        elsewhere = await live.store.create(breakable.name_in(0, prefix="elsewhere"))
        saw_more, beside = await live.follow(channel, channel.start), await live.follow(elsewhere, elsewhere.start)
        await saw_more.got(1)
        cut_off(breakable)
        # The clock of the one that is lost is an hour ahead, so that only a floor keeps later ids above these.
        live.store.engine.clock_offset_ms = AN_HOUR_MS
        lost = (await live.store.publish(channel, "lost", "lost too")).positions
        assert await saw_more.got(3) == ["kept", "lost", "lost too"]
        live.store.engine.clock_offset_ms = 0
        await asyncio.to_thread(fail_over, breakable)

        assert await saw_more.code(timeout_s=15) == 4410
        assert saw_more.closed is not None
        page = await live.store.log.after(channel, lost[-1], limit=10)
        assert page.meta.top == kept < lost[-1], "a page from that cursor is answered as a gap"
        assert parse_ulid(saw_more.closed.cursor or "") == cursor_of(channel, kept)
        after = (await live.store.publish(channel, "after")).positions[0]
        assert after > lost[-1]
        assert data_of(await live.store.all(channel)) == ["kept", "after"]
        resumed = await live.follow(channel, kept)
        assert await resumed.got(1) == ["after"]

        await live.store.publish(elsewhere, 1)
        assert await beside.got(1) == [1] and beside.closed is None


async def test_what_a_replica_has_acknowledged_survives_a_primary_killed_under_load(breakable: Cluster) -> None:
    ack = Ack(400)
    async with open_store(breakable.url, ack=ack) as one, open_store(breakable.url, ack=ack) as two:
        channel = await one.create(breakable.name_in(*MINE))
        publishers = [Publisher(store, channel, str(i)) for i, store in enumerate((one, two, one, two))]
        async with publishing(publishers):
            await asyncio.sleep(0.5)
            before = [len(publisher.acknowledged) for publisher in publishers]
            await asyncio.to_thread(fail_over, breakable)
            # The one that was killed comes back as a replica; until then nothing is acknowledged.
            breakable.primaries[0].start()
            async with asyncio.timeout(20):
                while any(len(each.acknowledged) < start + 20 for each, start in zip(publishers, before, strict=True)):
                    await asyncio.sleep(0.05)
        log = data_of(await one.all(channel))
        assert len(set(log)) == len(log)
        for i, publisher in enumerate(publishers):
            mine = [value for value in log if value.startswith(f"{i}-")]
            assert mine == publisher.acknowledged, "all of them, once, in order"
        assert sum(publisher.refusals for publisher in publishers) > 0


async def test_without_a_replica_a_publish_is_stored_but_not_acknowledged_until_there_is_one(
    breakable: Cluster,
) -> None:
    async with open_store(breakable.url, ack=Ack(300)) as store:
        channel = await store.create(breakable.name_in(*MINE))
        cut_off(breakable)
        for _ in range(2):
            # The second time it is a replay, which itself writes nothing that a replica could lack.
            with pytest.raises(Unavailable) as refusal:
                await store.publish(channel, 1, key="mine")
            assert (refusal.value.retry_after_s, refusal.value.extra) == (1, {"code": "not_replicated"})
        breakable.replicas[0].signal(signal.SIGCONT)
        async with asyncio.timeout(20):
            while True:
                try:
                    appended = await store.publish(channel, 1, key="mine")
                except Unavailable:
                    continue
                break
        assert appended.replayed
        assert data_of(await store.all(channel)) == [1]


async def test_a_node_that_is_lost_for_good_ends_its_own_readers_only(breakable: Cluster) -> None:
    async with open_live(breakable.url) as live:
        gone, there = breakable.name_in(0), breakable.name_in(3)
        channels = [await live.store.create(name, retention_events=1) for name in (gone, there)]
        followers = [await live.follow(channel) for channel in channels]
        for node in breakable.primaries:
            node.tell("CONFIG", "SET", "cluster-require-full-coverage", "no")
        breakable.primaries[2].signal(signal.SIGSTOP)
        assert await followers[0].code(timeout_s=10) == 1013
        with pytest.raises(Unavailable):
            await live.follow(channels[0])
        for i in range(10):
            await live.store.publish(channels[1], i)
            await asyncio.sleep(0.05)
        assert await followers[1].got(10) == list(range(10))
        assert followers[1].closed is None and live.hub.vouches
        async with asyncio.timeout(5):
            while live.feed.hears(keys_of(channels[0]).topic):
                await asyncio.sleep(0.05)
        assert live.feed.hears(keys_of(channels[1]).topic) and not live.feed.is_live
        assert await live.store.trimmer.sweep() == 9
        presence = Presence(live.store.engine)
        for channel in channels:
            presence.enter(channel, None)
        with pytest.raises(Unavailable):
            await presence.tell()
        assert await Presence(live.store.engine).count(channels[1]) == 1, "told, though the first could not be"
