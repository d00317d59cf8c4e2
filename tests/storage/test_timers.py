"""Timers in the engine: claims with leases and fences, and commits that acknowledge them."""

import asyncio

import pytest

from broker.change import Change
from broker.storage.commit import Fenced
from broker.storage.timers import Claims, Timers
from broker.timers import Timer
from tests.clockwork import OWNER, arm, disarm, fired, name_of, raise_counter
from tests.stores import Store, listening

LEASE_MS = 30_000


async def claim(store: Store, most: int = 10, owner: str = OWNER) -> Claims:
    return await Timers(store.engine).claim(store.engine.partition(owner), lease_ms=LEASE_MS, most=most)


async def now_ms(store: Store) -> int:
    return await store.engine.now_ms()


async def test_a_timer_is_claimed_when_it_is_due_and_not_a_millisecond_before(store: Store) -> None:
    due_ms = await now_ms(store) + 3_600_000
    await arm(store, "a", due_ms)
    claims = await claim(store)
    assert claims.claimed == [] and claims.next_ms == due_ms
    store.engine.clock_offset_ms = due_ms - 1 - await now_ms(store)
    while (claims := await claim(store)).now_ms < due_ms:
        assert claims.claimed == []
    [claimed] = claims.claimed
    assert claimed.timer == Timer(name_of("a"), due_ms) and claims.now_ms >= due_ms


async def test_the_oldest_are_claimed_first_and_no_more_than_asked_for(store: Store) -> None:
    now = await now_ms(store)
    for subject, ago in (("c", 10), ("a", 30), ("b", 20)):
        await arm(store, subject, now - ago)
    assert [each.timer.name.subject for each in (await claim(store, 2)).claimed] == ["a", "b"]
    assert [each.timer.name.subject for each in (await claim(store, 2)).claimed] == ["c"]


async def test_a_claimed_timer_is_nobody_elses_until_its_lease_ends(store: Store, other: Store) -> None:
    await arm(store, "a", await now_ms(store))
    [first] = (await claim(store)).claimed
    assert (await claim(other)).claimed == []
    other.engine.clock_offset_ms += LEASE_MS + 1
    [second] = (await claim(other)).claimed
    assert second.timer == first.timer and second.fence > first.fence
    assert (first.tries, second.tries) == (0, 1)


async def test_the_commit_acknowledges_the_timer(store: Store) -> None:
    await arm(store, "a", await now_ms(store))
    [claimed] = (await claim(store)).claimed
    await raise_counter(store, claimed)
    store.engine.clock_offset_ms += 100 * LEASE_MS
    claims = await claim(store)
    assert claims.claimed == [] and claims.next_ms is None
    assert [each["count"] for each in await fired(store)] == [1]
    assert not [name for name in await store.keys() if name.endswith((":timers", ":claims"))]


async def test_who_comes_after_its_lease_ended_writes_nothing(store: Store, other: Store) -> None:
    await arm(store, "a", await now_ms(store))
    [slow] = (await claim(store)).claimed
    other.engine.clock_offset_ms += LEASE_MS + 1
    [quick] = (await claim(other)).claimed
    with pytest.raises(Fenced):
        await raise_counter(store, slow)
    assert await fired(store) == []
    await raise_counter(other, quick)
    with pytest.raises(Fenced):
        await raise_counter(store, slow)
    assert len(await fired(store)) == 1


@pytest.mark.parametrize("meanwhile", ["disarmed", "armed anew"])
async def test_a_timer_that_was_changed_while_it_was_claimed_is_not_acted_on(store: Store, meanwhile: str) -> None:
    await arm(store, "a", await now_ms(store))
    [claimed] = (await claim(store)).claimed
    later_ms = await now_ms(store) + 60_000
    await (disarm(store, "a") if meanwhile == "disarmed" else arm(store, "a", later_ms))
    with pytest.raises(Fenced):
        await raise_counter(store, claimed)
    assert await fired(store) == []
    assert (await claim(store)).next_ms == (None if meanwhile == "disarmed" else later_ms)


async def test_an_empty_decision_still_acknowledges(store: Store) -> None:
    await arm(store, "a", await now_ms(store))
    [claimed] = (await claim(store)).claimed
    await store.commits.execute(OWNER, [], lambda _: Change(), claimed=claimed)
    assert (await claim(store)).next_ms is None


async def test_a_timer_that_arms_itself_again_fires_at_its_new_time(store: Store) -> None:
    now = await now_ms(store)
    await arm(store, "a", now)
    [claimed] = (await claim(store)).claimed
    await store.commits.execute(
        OWNER, [], lambda _: Change(timers=(Timer(name_of("a"), now + 5_000),)), claimed=claimed
    )
    claims = await claim(store)
    assert claims.claimed == [] and claims.next_ms == now + 5_000


async def test_a_released_timer_is_due_soon_and_an_old_claim_releases_nothing(store: Store) -> None:
    timers = Timers(store.engine)
    await arm(store, "a", await now_ms(store))
    [first] = (await claim(store)).claimed
    await timers.release(first, after_ms=1_000)
    store.engine.clock_offset_ms += 1_001
    [second] = (await claim(store)).claimed
    await timers.release(first, after_ms=0)
    assert (await claim(store)).claimed == []
    assert second.timer == first.timer and second.tries == 1


async def test_leases_grow_with_every_try_in_vain(store: Store) -> None:
    await arm(store, "a", await now_ms(store))
    leases = []
    for _ in range(10):
        claims = await claim(store)
        assert claims.next_ms is not None and len(claims.claimed) == 1
        leases.append((claims.next_ms - claims.now_ms) // LEASE_MS)
        store.engine.clock_offset_ms += claims.next_ms - claims.now_ms
    assert leases == [1, 2, 4, 8, 16, 32, 64, 128, 128, 128]


async def test_an_earlier_timer_is_told_and_a_later_one_is_not(store: Store) -> None:
    now = await now_ms(store)
    topic = f"{{p{store.engine.partition(OWNER):02d}}}:timer-topic"
    async with listening(store.engine.url, topic) as heard:
        for subject, due_ms in (("a", now + 50_000), ("b", now + 60_000), ("c", now + 40_000), ("a", now + 30_000)):
            await arm(store, subject, due_ms)
        told = [int(await asyncio.wait_for(heard.get(), 5)) for _ in range(3)]
        assert told == [now + 50_000, now + 40_000, now + 30_000]
        assert heard.empty()


async def test_operators_see_what_will_fire_when_and_for_what(store: Store) -> None:
    now = await now_ms(store)
    await arm(store, "b", now + 60_000)
    await arm(store, "a", now)
    await arm(store, "x", now + 30_000, "other-tenant")
    [claimed] = (await claim(store)).claimed
    listing = await Timers(store.engine).pending(limit=10)
    assert listing.total == 3
    assert [(*each.timer.name, each.timer.due_ms, each.is_claimed) for each in listing.timers] == [
        ("tick", "acme", "a", now, True),
        ("tick", "other-tenant", "x", now + 30_000, False),
        ("tick", "acme", "b", now + 60_000, False),
    ]
    assert (await Timers(store.engine).pending(limit=1)).timers[0].timer == claimed.timer


async def test_many_claimers_at_once_share_what_is_due_and_each_timer_fires_once(store: Store, other: Store) -> None:
    now = await now_ms(store)
    subjects = [f"{number:03d}" for number in range(100)]
    await store.commits.execute(
        OWNER, [], lambda _: Change(timers=tuple(Timer(name_of(subject), now) for subject in subjects))
    )

    async def work(each: Store) -> None:
        while claimed := (await claim(each, 7)).claimed:
            await asyncio.gather(*(raise_counter(each, one) for one in claimed))

    await asyncio.gather(*(work(each) for each in (store, other) * 3))
    assert sorted(str(each["subject"]) for each in await fired(store)) == subjects
