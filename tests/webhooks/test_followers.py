"""Retention waits for webhooks that are behind, up to a bound, and what is lost then is said in their delivery log."""

from dataclasses import dataclass, field, replace

import orjson
import pytest

from broker.channels import DAY_MS, ChannelRecord
from broker.delivery_log import index_of, parse_rows
from broker.endpoints import Registered
from broker.followers import Followers
from broker.storage.deliveries import Deliveries
from broker.storage.endpoints import Endpoints
from broker.webclient import Answered, Call
from tests.stores import WAIT_MS, Store, data_of
from tests.webhooks.postman import follow, webhooks_on


@dataclass
class Desk:
    """Delivers on demand; the receiver takes nothing while it is `down`."""

    store: Store
    taken: list[int] = field(default_factory=list)
    down: bool = False

    async def send(self, call: Call) -> Answered:
        if not self.down:
            self.taken.append(orjson.loads(call.body)["data"])
        return Answered(500 if self.down else 204, None, {}, b"", 1)

    async def deliver(self, channel: ChannelRecord) -> None:
        """What is marked now."""
        deliveries = Deliveries(self.store.engine)
        webhooks = webhooks_on(self.store, self.send, deliveries)
        claims = await deliveries.claim(channel.partition, lease_ms=60_000, most=10)
        for each in claims.claimed:
            await webhooks.deliver(each)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


async def test_who_is_behind_is_waited_for_and_then_the_events_go(store: Store, desk: Desk) -> None:
    channel = await store.create(retention_events=3)
    await follow(store, channel, "http://receiver.example/", ttl_s=30 * 86_400)
    await store.publish(channel, *range(5))
    assert await store.trimmer.sweep() == 0
    await desk.deliver(channel)
    await store.publish(channel, 5)
    assert await store.trimmer.sweep() == 3
    assert desk.taken == [0, 1, 2, 3, 4]
    assert data_of(await store.all(channel)) == [3, 4, 5]


async def test_who_is_sent_nothing_is_not_waited_for(store: Store) -> None:
    channel = await store.create(retention_events=3)
    endpoints, endpoint = Endpoints(store.engine), await follow(store, channel, "http://receiver.example/")
    await store.publish(channel, *range(5))

    def switched(registered: Registered, _: int) -> tuple[Registered, None]:
        return tuple(replace(each, is_active=not each.is_active, activation=1) for each in registered), None

    await endpoints.change(channel, switched)
    assert await Followers(endpoints, store.reader).read(channel) is None
    assert await store.trimmer.sweep() == 2
    await endpoints.change(channel, switched)
    found = await endpoints.following(channel, endpoint.id)
    assert found is not None
    assert await Followers(endpoints, store.reader).read(channel) == found.cursor


async def test_a_log_without_followers_waits_for_nobody(store: Store) -> None:
    channel = await store.create(retention_events=3)
    await store.publish(channel, *range(5))
    assert await Followers(Endpoints(store.engine), store.reader).read(channel) is None
    assert await store.trimmer.sweep() == 2


async def test_what_failed_is_kept_until_it_is_delivered(store: Store, desk: Desk) -> None:
    channel = await store.create(retention_days=1)
    await follow(store, channel, "http://receiver.example/", ttl_s=30 * 86_400)
    desk.down = True
    [first, _] = (await store.publish(channel, 1, 2)).positions
    await desk.deliver(channel)
    read = await Followers(Endpoints(store.engine), store.reader).read(channel)
    assert read is not None
    assert read < first
    store.engine.clock_offset_ms = DAY_MS + 60_000
    assert await store.trimmer.sweep() == 0
    desk.down = False
    await desk.deliver(channel)
    assert desk.taken == [1, 2]
    store.engine.clock_offset_ms += 60_000
    assert await store.trimmer.sweep() == 2


async def test_the_wait_ends_and_the_delivery_log_tells_of_the_gap(store: Store, desk: Desk) -> None:
    channel = await store.create(retention_days=1)
    endpoint = await follow(store, channel, "http://receiver.example/", ttl_s=30 * 86_400)
    desk.down = True
    await store.publish(channel, 1, 2)
    await desk.deliver(channel)
    store.engine.clock_offset_ms = DAY_MS + WAIT_MS + 60_000
    assert await store.trimmer.sweep() == 2
    desk.down = False
    await store.publish(channel, 3)
    await desk.deliver(channel)
    subject = f"{channel.tag_letters}/{endpoint.id}"
    page = await store.reader.page(channel.partition, "delivery", index_of(subject, "gap"))
    [gap] = parse_rows([document for _, document in page.documents])
    assert (gap["verdict"], desk.taken) == ("gap", [3])


async def test_at_most_twice_as_many_events_are_kept_as_without_a_follower(store: Store) -> None:
    channel = await store.create(retention_events=3)
    await follow(store, channel, "http://receiver.example/", ttl_s=30 * 86_400)
    await store.publish(channel, *range(10))
    assert await store.trimmer.sweep() == 4
    assert data_of(await store.all(channel)) == [4, 5, 6, 7, 8, 9]


async def test_a_log_that_waits_does_not_stay_due(store: Store) -> None:
    waiting = await store.create("waiting", retention_days=1)
    await follow(store, waiting, "http://receiver.example/", ttl_s=30 * 86_400)
    await store.publish(waiting, 1)
    store.engine.clock_offset_ms = DAY_MS + 1
    assert await store.trimmer.sweep() == 0
    assert await store.trimmer._due() == []
