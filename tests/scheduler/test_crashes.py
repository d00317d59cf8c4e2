"""Processes that die or stand still between the claim of a timer and its commit."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from tests.clockwork import arm, fired, worker
from tests.clusters import QUICK_MS, running_cluster
from tests.engines import running_engine
from tests.killable import killable, said, tell
from tests.stores import Store, open_store


def claimer(url: str) -> AbstractAsyncContextManager[Process]:
    """A process that claims, and commits when it is given a line."""
    return killable("tests.scheduler.claimer", url)


async def test_who_dies_between_claim_and_commit_leaves_the_timer_to_another(store: Store, engine_url: str) -> None:
    async with claimer(engine_url) as process:
        await arm(store, "a", await store.engine.now_ms())
        assert await said(process) == "claimed"
        process.kill()
        await process.wait()
        assert await fired(store) == []
        async with worker(store) as done:
            await done.until(1)
    [each] = await fired(store)
    assert each["count"] == 1 and done.claimed[0].tries == 1


async def test_who_dies_after_the_commit_leaves_nothing_to_do(store: Store, engine_url: str) -> None:
    async with claimer(engine_url) as process:
        await arm(store, "a", await store.engine.now_ms())
        assert await said(process) == "claimed"
        tell(process)
        assert await said(process) == "committed"
        process.kill()
        await process.wait()
    async with worker(store) as done:
        await asyncio.sleep(1.0)
        assert done.claimed == []
    assert [each["count"] for each in await fired(store)] == [1]


async def test_who_was_stopped_past_its_lease_comes_back_and_writes_nothing(store: Store, engine_url: str) -> None:
    async with claimer(engine_url) as process:
        await arm(store, "a", await store.engine.now_ms())
        assert await said(process) == "claimed"
        os.kill(process.pid, signal.SIGSTOP)
        async with worker(store) as done:
            await done.until(1)
            os.kill(process.pid, signal.SIGCONT)
            tell(process)
            assert await said(process) == "fenced"
    assert [each["count"] for each in await fired(store)] == [1]


async def test_timers_survive_the_engine_and_are_done_when_it_is_back(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        async with open_store(engine.url) as store:
            for number in range(20):
                await arm(store, f"{number:02d}", await store.engine.now_ms() + number)
        assert engine.pid is not None
    with running_engine(tmp_path) as engine:
        async with open_store(engine.url) as store, worker(store) as done:
            await done.until(20)
            assert [each["count"] for each in await fired(store)] == [1] * 20


async def test_an_engine_that_restarts_under_a_scheduler_delays_its_timers_only(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        async with open_store(engine.url) as store, worker(store) as done:
            await arm(store, "before", await store.engine.now_ms())
            await done.until(1)
            await arm(store, "during", await store.engine.now_ms() + 300)
            watching = asyncio.create_task(engine.watch())
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGKILL)
            await done.until(2, 20)
            watching.cancel()
            assert [(each["subject"], each["count"]) for each in await fired(store)] == [("before", 1), ("during", 1)]
            assert all(int(each["late_ms"]) >= 0 for each in await fired(store))


async def test_a_node_that_is_lost_holds_up_the_timers_of_no_other(tmp_path: Path) -> None:
    with running_cluster(tmp_path / "cluster", timeout_ms=QUICK_MS) as cluster:
        for node in cluster.primaries:
            node.tell("CONFIG", "SET", "cluster-require-full-coverage", "no")
        lost = cluster.owner(0)
        others = set(range(16)) - set(cluster.partitions_of(lost))
        gone, there = cluster.name_in(0), cluster.name_in(*others)
        async with open_store(cluster.url, reply_timeout_s=0.5) as store, worker(store) as done:
            for owner in (gone, there):
                await arm(store, "before", await store.engine.now_ms(store.engine.partition(owner)), owner)
            await done.until(2)
            for owner in (gone, there):
                await arm(store, "during", await store.engine.now_ms(store.engine.partition(owner)) + 1_500, owner)
            lost.signal(signal.SIGSTOP)
            await done.until(3, 20)
            assert [each["subject"] for each in await fired(store, there)] == ["before", "during"]
            lost.signal(signal.SIGCONT)
            await done.until(4, 20)
            assert [each["count"] for each in await fired(store, gone)] == [1, 1]
