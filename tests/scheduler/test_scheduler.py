"""The scheduler: never early, exact, woken by earlier arrivals, oldest first at a bounded rate, once for each timer."""

import asyncio
import random
import time
from functools import partial

from broker.change import Change
from broker.errors import Unavailable
from broker.scheduler import SchedulerLimits
from broker.storage.clock import Clock
from broker.storage.engine import Engine
from broker.storage.timers import Claims, Timers
from broker.timers import Claimed, Timer
from tests.clockwork import KIND, OWNER, QUICK, Worker, arm, fired, name_of, raise_counter, worker, worker_of
from tests.stores import Store, open_store

SLOW_TO_LOOK = SchedulerLimits(lease_s=5.0, look_s=60.0)
"""Does not look by itself within a test: only exact sleep and wake-ups can make it act."""


async def test_timers_at_random_moments_are_never_early_and_each_fires_once(store: Store) -> None:
    rng, now = random.Random(7), await store.engine.now_ms()
    owners = [f"team-{number}" for number in range(5)]
    due = [(rng.choice(owners), f"{number:03d}", now + rng.randint(0, 1_500)) for number in range(150)]
    async with worker(store) as done:
        for owner, subject, due_ms in due:
            await arm(store, subject, due_ms, owner)
        await done.until(150, 20)
    all_fired = [each for owner in owners for each in await fired(store, owner)]
    assert len(all_fired) == 150 and {each["count"] for each in all_fired} == {1}
    assert min(int(each["late_ms"]) for each in all_fired) >= 0


async def test_it_sleeps_until_the_very_moment(store: Store) -> None:
    async with worker(store, SLOW_TO_LOOK) as done:
        await arm(store, "first", await store.engine.now_ms())
        await done.until(1)
        await arm(store, "a", await store.engine.now_ms() + 300)
        began = time.monotonic()
        await done.until(2)
        assert 0.29 < time.monotonic() - began < 2
    assert [each["count"] for each in await fired(store)] == [1, 1]


async def test_an_earlier_timer_of_another_process_wakes_it(store: Store, engine_url: str) -> None:
    async with open_store(engine_url) as other, worker(store, SLOW_TO_LOOK) as done:
        await arm(other, "first", await store.engine.now_ms())
        await done.until(1)
        await arm(other, "late", await store.engine.now_ms() + 60_000)
        await arm(other, "soon", await store.engine.now_ms() + 50)
        await done.until(2)
    assert [each["subject"] for each in await fired(store)] == ["first", "soon"]


class SlowToAnswer(Timers):
    """Timers that are claimed at once; where any were, the answer is on its way until `answers` is set."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.answers, self.held = asyncio.Event(), asyncio.Event()

    async def claim(self, partition: int, *, lease_ms: int, most: int) -> Claims:
        claims = await super().claim(partition, lease_ms=lease_ms, most=most)
        if claims.claimed:
            self.held.set()
            await self.answers.wait()
        return claims


async def test_a_wake_up_that_overtakes_the_answer_to_a_claim_counts(store: Store) -> None:
    timers, on_timer = SlowToAnswer(store.engine), {KIND: partial(raise_counter, store)}
    async with worker_of(store, timers, on_timer, SLOW_TO_LOOK) as scheduler:
        # More than once: at the start it looks everywhere once more, when it has begun to listen.
        for number in range(3):
            timers.answers.clear()
            timers.held.clear()
            await arm(store, f"claimed {number}", await store.engine.now_ms())
            await timers.held.wait()
            scheduler._woken.clear()
            await arm(store, f"overtaking {number}", await store.engine.now_ms())
            await scheduler._woken.wait()
            timers.answers.set()
            await Worker(scheduler).until(2 * number + 2, 3.0)


async def test_a_lost_wake_up_is_made_good_by_looking(store: Store) -> None:
    async with worker(store, SchedulerLimits(look_s=0.1)) as done:
        for topic in list(done.scheduler._topics):
            await done.scheduler._feed.unwatch(topic)
        await arm(store, "a", await store.engine.now_ms())
        await done.until(1)


async def test_what_is_overdue_is_done_oldest_first_at_a_bounded_rate(store: Store) -> None:
    now = await store.engine.now_ms()
    timers = [Timer(name_of(f"{number:03d}"), now - 1_000_000 + number) for number in range(60)]
    random.Random(3).shuffle(timers)
    await store.commits.execute(OWNER, [], lambda _: Change(timers=tuple(timers)))
    limits = SchedulerLimits(lease_s=5.0, look_s=0.2, at_once=4, per_s=100)
    began = time.monotonic()
    async with worker(store, limits) as done:
        await done.until(60, 20)
    # A burst of 4 at once, the rest at 100 a second.
    assert time.monotonic() - began > 0.5
    claimed = [each.timer.due_ms for each in done.claimed]
    assert claimed == sorted(claimed)


async def test_no_more_run_at_once_than_may(store: Store) -> None:
    running = most = 0

    async def slow(claimed: Claimed) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        await raise_counter(store, claimed)

    now = await store.engine.now_ms()
    for number in range(20):
        await arm(store, str(number), now)
    async with worker(store, SchedulerLimits(lease_s=5.0, at_once=3), on_timer=slow) as done:
        await done.until(20, 20)
    assert most == 3


async def test_two_schedulers_share_the_work_and_do_nothing_twice(store: Store, engine_url: str) -> None:
    now = await store.engine.now_ms()
    timers = tuple(Timer(name_of(f"{number:03d}"), now + number * 2) for number in range(200))
    limits = SchedulerLimits(lease_s=5.0, at_once=2)
    async with open_store(engine_url) as other, worker(store, limits) as one, worker(other, limits) as two:
        await store.commits.execute(OWNER, [], lambda _: Change(timers=timers))
        async with asyncio.timeout(20):
            while one.scheduler.counts.fired + two.scheduler.counts.fired < 200:
                await asyncio.sleep(0.01)
        assert min(len(one.claimed), len(two.claimed)) > 0
    assert [each["count"] for each in await fired(store)] == [1] * 200


async def test_what_the_engine_refused_is_tried_again_soon_and_a_defect_after_its_lease(store: Store) -> None:
    tries: dict[str, int] = {}

    async def at_second_try(claimed: Claimed) -> None:
        subject = claimed.timer.name.subject
        tries[subject] = tries.get(subject, 0) + 1
        if tries[subject] == 1:
            raise Unavailable("not now") if subject == "refused" else RuntimeError("a defect")
        await raise_counter(store, claimed)

    for subject in ("refused", "defect"):
        await arm(store, subject, await store.engine.now_ms())
    async with worker(store, QUICK, on_timer=at_second_try) as done:
        await done.until(2)
    assert tries == {"refused": 2, "defect": 2} and done.scheduler.counts.failed == 2
    assert sorted((each["subject"], each["count"]) for each in await fired(store)) == [("defect", 1), ("refused", 1)]


async def test_the_test_clock_fires_what_lies_far_ahead_at_once_in_every_process(store: Store, engine_url: str) -> None:
    async with open_store(engine_url) as other, worker(store, SLOW_TO_LOOK, is_test_clock=True) as done:
        await arm(store, "first", await store.engine.now_ms())
        await done.until(1)
        day_ms = 86_400_000
        await arm(store, "tomorrow", await store.engine.now_ms() + day_ms)
        await Clock(other.engine, is_test=True).advance(day_ms - 60_000)
        await asyncio.sleep(0.1)
        assert done.scheduler.counts.fired == 1
        await Clock(other.engine, is_test=True).advance(60_000)
        await done.until(2)
    assert all(int(each["late_ms"]) >= 0 for each in await fired(store))


async def test_a_clock_that_steps_makes_nothing_early_and_is_noticed_soon(store: Store) -> None:
    async with worker(store, SchedulerLimits(lease_s=5.0, look_s=0.1)) as done:
        await arm(store, "a", await store.engine.now_ms() + 200)
        store.engine.clock_offset_ms -= 3_600_000
        await asyncio.sleep(0.6)
        assert done.claimed == []
        store.engine.clock_offset_ms += 3_600_000
        await done.until(1)
        await arm(store, "b", await store.engine.now_ms() + 3_600_000)
        store.engine.clock_offset_ms += 3_600_001
        await done.until(2)
    assert all(int(each["late_ms"]) >= 0 for each in await fired(store))
