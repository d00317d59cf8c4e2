"""The live feed of a cluster: every topic from the node that has its slot, also after that has changed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from broker.storage.cluster.feed import ClusterFeed
from broker.storage.cluster.slots import slot_of_key
from broker.storage.feed import Connected
from broker.storage.feeds import LiveFeed, open_feed
from tests.clusters import Cluster
from tests.stores import running

TOPICS = [f"{{p{i % 16:02d}}}:topic-{i}" for i in range(320)]


class Listener:
    """Takes what a feed hears, and lets a test wait for it."""

    def __init__(self, feed: LiveFeed) -> None:
        self.feed = feed
        self.heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.connected: asyncio.Queue[Connected] = asyncio.Queue()
        feed.listen(lambda *message: self.heard.put_nowait(message), self.connected.put_nowait)

    async def next(self) -> tuple[str, bytes]:
        return await asyncio.wait_for(self.heard.get(), 5)

    async def watch_all(self) -> None:
        """Watch all topics, and forget the first word of each node."""
        await asyncio.gather(*(self.feed.watch(topic) for topic in TOPICS))
        async with asyncio.timeout(5):
            while not self.feed.is_live:
                await asyncio.sleep(0.01)
        while not self.connected.empty():
            self.connected.get_nowait()

    async def told_of(self, topic: str) -> Connected:
        """The next word that this topic was connected anew."""
        async with asyncio.timeout(10):
            while True:
                connected = await self.connected.get()
                if topic in (connected.topics or ()):
                    return connected


@pytest.fixture
async def listener(cluster: Cluster) -> AsyncIterator[Listener]:
    """A running feed that nobody has asked for a topic yet."""
    feed = open_feed(cluster.url, reply_timeout_s=5.0)
    assert isinstance(feed, ClusterFeed)
    async with running(feed.run()):
        yield Listener(feed)


async def hears_all(cluster: Cluster, listener: Listener, topics: list[str]) -> None:
    for topic in topics:
        assert await asyncio.to_thread(cluster.publish, topic, "hello") == 1
    assert sorted([await listener.next() for _ in topics]) == sorted((topic, b"hello") for topic in topics)


async def test_topics_of_all_partitions_are_heard(cluster: Cluster, listener: Listener) -> None:
    await listener.watch_all()
    await hears_all(cluster, listener, TOPICS[::5])
    await asyncio.gather(*(listener.feed.unwatch(topic) for topic in TOPICS))
    async with asyncio.timeout(5):
        while any([await asyncio.to_thread(cluster.publish, topic, "hello") for topic in TOPICS[::20]]):
            await asyncio.sleep(0.01)


async def test_topics_follow_their_slot_and_are_to_be_checked_but_not_doubted(
    cluster: Cluster, listener: Listener
) -> None:
    await listener.watch_all()
    slot, owner = slot_of_key(TOPICS[0]), cluster.owner(0)
    moved = [topic for topic in TOPICS if topic.startswith("{p00}")]
    target = cluster.primaries[0]
    for source, sink in ((owner, target), (target, owner)):
        await asyncio.to_thread(cluster.move, slot, source, sink)
        connected = await listener.told_of(TOPICS[0])
        assert not connected.is_other, "both nodes are there, so nothing can be lost"
        assert set(connected.topics or ()) == set(moved), "the other topics went on all the time"
        await hears_all(cluster, listener, [*moved, *TOPICS[1:16]])


async def test_a_topic_asked_for_while_its_slot_moves_is_heard_from_then_on(
    cluster: Cluster, listener: Listener
) -> None:
    slot, owner, target = slot_of_key(TOPICS[0]), cluster.owner(0), cluster.primaries[0]
    await listener.feed.watch(TOPICS[1])
    await asyncio.to_thread(cluster.move, slot, owner, target)
    try:
        # By the feed's map the slot is still where it was.
        await listener.feed.watch(TOPICS[0])
        await hears_all(cluster, listener, TOPICS[:2])
    finally:
        await asyncio.to_thread(cluster.move, slot, target, owner)


async def test_a_killed_connection_of_one_node_is_told_for_its_topics_only(
    cluster: Cluster, listener: Listener
) -> None:
    await listener.watch_all()
    node = cluster.primaries[0]
    mine = {topic for topic in TOPICS if int(topic[2:4]) in cluster.partitions_of(node)}
    assert node.tell("CLIENT", "KILL", "TYPE", "pubsub") == 1
    connected = await listener.told_of(next(iter(mine)))
    assert set(connected.topics or ()) == mine and not connected.is_other
    await hears_all(cluster, listener, TOPICS[:32])
