"""Marks of endpoints that have something to deliver: made by appends, claimed by one process at a time."""

import asyncio

import pytest

from broker.channels import ChannelRecord, NewChannel
from broker.endpoints import EndpointLimits, Owner, Registered, Registration, register, remove
from broker.storage.channels import keys_of
from broker.storage.connect import answered
from broker.storage.deliveries import Deliveries, name_of
from broker.storage.endpoints import Endpoints
from broker.timers import Claimed
from tests.stores import Store, listening

ANN = Owner("ann", is_anonymous=False)


@pytest.fixture
def deliveries(store: Store) -> Deliveries:
    return Deliveries(store.engine)


async def follow(store: Store, channel: ChannelRecord, *ids: str, ttl_s: int = 60) -> None:
    for each in ids:

        def decide(known: Registered, now_ms: int, new_id: str = each) -> tuple[Registered, None]:
            asked = Registration(f"https://a.example/{new_id}", None, ttl_s)
            limits = EndpointLimits(100, 100)
            return register(known, asked, ANN, limits, new_id=new_id, now_ms=now_ms)[0], None

        await Endpoints(store.engine).change(channel, decide)


async def unfollow(store: Store, channel: ChannelRecord, endpoint_id: str) -> None:
    def decide(known: Registered, now_ms: int) -> tuple[Registered, None]:
        return remove(known, endpoint_id, ANN, is_admin=False, now_ms=now_ms), None

    await Endpoints(store.engine).change(channel, decide)


async def claim(deliveries: Deliveries, channel: ChannelRecord, lease_ms: int = 60_000) -> list[Claimed]:
    return (await deliveries.claim(channel.partition, lease_ms=lease_ms, most=100)).claimed


def names(claimed: list[Claimed]) -> list[str]:
    return sorted(each.timer.name.subject.partition("/")[2] for each in claimed)


async def test_an_append_marks_the_endpoints_that_follow_and_no_others(
    store: Store, channel: ChannelRecord, deliveries: Deliveries
) -> None:
    other = await store.create("other")
    await follow(store, channel, "wh_a", "wh_b")
    await store.publish(other, 1)
    assert await claim(deliveries, channel) == await claim(deliveries, other) == []
    await store.publish(channel, 1)
    claimed = await claim(deliveries, channel)
    assert names(claimed) == ["wh_a", "wh_b"]
    assert {each.timer.name for each in claimed} == {name_of(channel, "wh_a"), name_of(channel, "wh_b")}


async def test_a_log_that_nobody_follows_any_more_marks_nothing(
    store: Store, channel: ChannelRecord, deliveries: Deliveries
) -> None:
    await follow(store, channel, "wh_a", "wh_b")
    await unfollow(store, channel, "wh_a")
    await store.publish(channel, 1)
    assert names(await claim(deliveries, channel)) == ["wh_b"]
    await unfollow(store, channel, "wh_b")
    assert await answered(store.engine.client.hget(keys_of(channel).meta, "followed")) is None
    await store.publish(channel, 2)
    assert await claim(deliveries, channel) == []


async def test_expired_endpoints_are_pruned_from_what_follows(store: Store, channel: ChannelRecord) -> None:
    await follow(store, channel, "wh_a", ttl_s=1)
    await follow(store, channel, "wh_b", ttl_s=100)
    endpoints = Endpoints(store.engine)
    store.engine.clock_offset_ms += 2_000
    assert await endpoints.following(channel, "wh_a") is None
    found = await endpoints.following(channel, "wh_b")
    assert found is not None and found.cursor == channel.start
    await endpoints.prune(channel)
    followed = await answered(store.engine.client.hget(keys_of(channel).meta, "followed"))
    assert followed is not None and followed.decode().endswith("/wh_b") and b"\n" not in followed


async def test_an_endpoint_at_work_is_not_claimed_twice_and_is_due_again_when_it_rests(
    store: Store, channel: ChannelRecord, deliveries: Deliveries
) -> None:
    await follow(store, channel, "wh_a")
    await store.publish(channel, 1)
    [first] = await claim(deliveries, channel)
    await store.publish(channel, 2)
    assert await claim(deliveries, channel) == []
    assert await deliveries.rest(first, None)
    [second] = await claim(deliveries, channel)
    assert second.fence > first.fence
    # Marked, and not looked at by anybody before the work ends.
    await store.publish(channel, 3)
    assert await deliveries.rest(second, None)
    [third] = await claim(deliveries, channel)
    assert await deliveries.rest(third, None)
    assert await claim(deliveries, channel) == []


async def test_it_rests_until_its_time(store: Store, channel: ChannelRecord, deliveries: Deliveries) -> None:
    await follow(store, channel, "wh_a")
    await store.publish(channel, 1)
    [claimed] = await claim(deliveries, channel)
    due_ms = await store.engine.now_ms() + 5_000
    assert await deliveries.rest(claimed, due_ms)
    claims = await deliveries.claim(channel.partition, lease_ms=1_000, most=10)
    assert (claims.claimed, claims.next_ms) == ([], due_ms)
    store.engine.clock_offset_ms += 5_001
    assert names(await claim(deliveries, channel)) == ["wh_a"]


async def test_whose_lease_ended_cannot_end_the_work_of_the_next(
    store: Store, channel: ChannelRecord, deliveries: Deliveries
) -> None:
    await follow(store, channel, "wh_a")
    await store.publish(channel, 1)
    [late] = await claim(deliveries, channel, lease_ms=10)
    store.engine.clock_offset_ms += 11
    [now] = await claim(deliveries, channel)
    assert not await deliveries.rest(late, None)
    assert await deliveries.rest(now, None)


async def test_who_gives_one_back_leaves_it_due(store: Store, channel: ChannelRecord, deliveries: Deliveries) -> None:
    await follow(store, channel, "wh_a")
    await store.publish(channel, 1)
    [claimed] = await claim(deliveries, channel)
    await deliveries.release(claimed, after_ms=0)
    assert names(await claim(deliveries, channel)) == ["wh_a"]


async def test_a_channel_of_a_tenant_is_marked_where_its_tenant_lives(store: Store, deliveries: Deliveries) -> None:
    for tenant in ("acme", "globex", "initech"):
        channel = await store.channels.ensure(NewChannel(f"cuey-team-{tenant}", tenant))
        await follow(store, channel, "wh_a")
        await store.publish(channel, 1)
        [claimed] = await claim(deliveries, channel)
        assert await deliveries.rest(claimed, None)
        await deliveries.mark(name_of(channel, "wh_a"))
        [claimed] = await claim(deliveries, channel)
        await deliveries.release(claimed, after_ms=0)
        assert len(await claim(deliveries, channel)) == 1


async def test_marks_wake_who_sleeps(store: Store, channel: ChannelRecord, deliveries: Deliveries) -> None:
    await follow(store, channel, "wh_a")
    async with listening(store.engine.url, deliveries.topic(channel.partition)) as heard:
        await store.publish(channel, 1)
        assert int(await asyncio.wait_for(heard.get(), 5)) > 0
        await store.publish(channel, 2)
        await deliveries.mark(name_of(channel, "wh_a"))
        assert int(await asyncio.wait_for(heard.get(), 5)) > 0
        assert heard.empty(), "what is marked already wakes nobody again"


async def test_endpoints_are_claimed_once_each_by_two_processes(
    store: Store, other: Store, channel: ChannelRecord, deliveries: Deliveries
) -> None:
    await follow(store, channel, *(f"wh_{n:03d}" for n in range(60)))
    await store.publish(channel, 1)
    calls = [each.claim(channel.partition, lease_ms=60_000, most=7) for each in (deliveries, Deliveries(other.engine))]
    calls += [deliveries.claim(channel.partition, lease_ms=60_000, most=7) for _ in range(10)]
    claimed = [name for claims in await asyncio.gather(*calls) for name in names(claims.claimed)]
    assert sorted(claimed) == [f"wh_{n:03d}" for n in range(60)]
