"""A domain for tests of timers: each counter of an owner is raised by its timer, once, with an event that says so."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from broker.change import Change, DocumentKey, Put, emit
from broker.channels import NewChannel
from broker.scheduler import Claimable, OnTimer, Scheduler, SchedulerLimits
from broker.storage.clock import Clock
from broker.storage.feeds import open_feed
from broker.storage.state import Loaded
from broker.storage.timers import Timers
from broker.timers import Claimed, Timer, TimerName
from tests.stores import Store, data_of, running

OWNER = "acme"
LOG = NewChannel("cuey-team-acme", "acme")
KIND = "tick"
QUICK = SchedulerLimits(lease_s=0.4, look_s=0.2)


def log_of(owner: str) -> NewChannel:
    return NewChannel(f"cuey-team-{owner}", owner)


def name_of(subject: str, owner: str = OWNER) -> TimerName:
    return TimerName(KIND, owner, subject)


async def arm(store: Store, subject: str, due_ms: int, owner: str = OWNER) -> None:
    """Arm a timer, by a commit as always."""
    await store.commits.execute(owner, [], lambda _: Change(timers=(Timer(name_of(subject, owner), due_ms),)))


async def disarm(store: Store, subject: str) -> None:
    await store.commits.execute(OWNER, [], lambda _: Change(timers=(name_of(subject),)))


def raised(claimed: Claimed) -> Callable[[Loaded], Change]:
    """The decision: the counter is one higher, and the log says when it was due and when that was."""
    name = claimed.timer.name
    key = DocumentKey("counter", f"{name.owner}/{name.subject}")

    def decide(loaded: Loaded) -> Change:
        found = loaded.documents[key]
        count = (json.loads(found.body) if found else 0) + 1
        data = {"subject": name.subject, "count": count, "late_ms": loaded.now_ms - claimed.timer.due_ms}
        put = Put(key, found.version if found else 0, json.dumps(count).encode())
        return Change((put,), (emit(log_of(name.owner).id, "cuey.counter.raised", data, "system-cuey"),))

    return decide


async def raise_counter(store: Store, claimed: Claimed) -> None:
    """What the timer leads to."""
    name = claimed.timer.name
    key = DocumentKey("counter", f"{name.owner}/{name.subject}")
    await store.commits.execute(name.owner, [key], raised(claimed), logs=(log_of(name.owner),), claimed=claimed)


async def fired(store: Store, owner: str = OWNER) -> list[dict[str, int | str]]:
    """What fired so far, in its order."""
    return data_of(await store.all(await store.channels.ensure(log_of(owner))))


@dataclass
class Worker:
    """A process's scheduler, and what it was given."""

    scheduler: Scheduler
    claimed: list[Claimed] = field(default_factory=list)

    async def until(self, count: int, timeout_s: float = 5.0) -> None:
        """Wait until so many were done with success."""
        async with asyncio.timeout(timeout_s):
            while self.scheduler.counts.fired < count:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def worker(
    store: Store, limits: SchedulerLimits = QUICK, *, on_timer: OnTimer | None = None, is_test_clock: bool = False
) -> AsyncIterator[Worker]:
    """A running scheduler of this storage's timers."""
    claimed: list[Claimed] = []

    async def note(each: Claimed) -> None:
        claimed.append(each)
        await (raise_counter(store, each) if on_timer is None else on_timer(each))

    on_timers = {KIND: note}
    async with worker_of(store, Timers(store.engine), on_timers, limits, is_test_clock=is_test_clock) as scheduler:
        yield Worker(scheduler, claimed)


@asynccontextmanager
async def worker_of(
    store: Store,
    claimable: Claimable,
    on_timer: Mapping[str, OnTimer],
    limits: SchedulerLimits,
    *,
    is_test_clock: bool = False,
) -> AsyncIterator[Scheduler]:
    """A running scheduler of whatever is claimed."""
    feed, clock = open_feed(store.engine.url, reply_timeout_s=1.0), Clock(store.engine, is_test=is_test_clock)
    scheduler = Scheduler(claimable, feed, on_timer, limits, clock.look)
    async with running(feed.run(), scheduler.run()):
        yield scheduler
    await scheduler.drained()
