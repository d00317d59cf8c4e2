"""The scheduler: claims what is due and has it done, in every process (design section 5).

It sleeps until the very moment at which the next timer is due, and is woken when an earlier one is armed, by whichever
process; once a second it looks by itself, as a wake-up can be lost and clocks can step. What is overdue is done oldest
first, at a bounded rate. A partition whose node does not answer is asked beside the others, and holds up none of them.
A timer is acknowledged by the commit that it leads to: who dies before leaves it to the end of its lease, and who comes
back after it finds its fence gone.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from broker.counts import TimerCounts
from broker.errors import Refusal, Unavailable
from broker.storage.commit import Fenced
from broker.storage.feeds import LiveFeed
from broker.storage.timers import Claims
from broker.timers import Claimed

CLAIMED_AT_ONCE = 16
RETRY_MS = 1_000
DRAIN_S = 5.0

OnTimer = Callable[[Claimed], Awaitable[None]]
"""What a slice does with a due timer of its kind: a command, executed with this claim. Raises what `execute` does."""


class Claimable(Protocol):
    """What is claimed: `storage.timers.Timers`, or what is marked otherwise to be done."""

    @property
    def partitions(self) -> int:
        """How many partitions there are."""

    def topic(self, partition: int) -> str:
        """The topic that tells that something is due earlier than was known."""

    async def claim(self, partition: int, *, lease_ms: int, most: int) -> Claims:
        """Claim what is due, at most so many: where that is 0, it only tells whether the partition's node answers."""

    async def release(self, claimed: Claimed, *, after_ms: int) -> None:
        """Give it back."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SchedulerLimits:
    """How long a claim lasts, how much is done at once and in a second, and how often it looks unasked."""

    lease_s: float = 30.0
    at_once: int = 32
    per_s: float = 500.0
    look_s: float = 1.0


class Scheduler:
    """Does the timers of all partitions with the other processes; `on_timer` are by kind. `run` until cancelled."""

    def __init__(
        self,
        timers: Claimable,
        feed: LiveFeed,
        on_timer: Mapping[str, OnTimer],
        limits: SchedulerLimits,
        look_at_clock: Callable[[], Awaitable[None]],
    ) -> None:
        self._timers = timers
        self._feed = feed
        self._on_timer = on_timer
        self._limits = limits
        self._look_at_clock = look_at_clock
        self.counts = TimerCounts()
        self._running: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        # When each partition is to be looked at, by our monotonic clock: in the past when it is overdue. Those whose
        # node does not answer are absent until it does.
        self._look_at = dict.fromkeys(range(timers.partitions), 0.0)
        self._topics = {timers.topic(partition): partition for partition in self._look_at}
        self._pace = _Pace(limits.per_s, limits.at_once)
        feed.listen(lambda topic, _: self._wake(self._topics[topic]), lambda _: self._wake(*self._look_at))

    async def run(self) -> None:
        """Claim and do for ever. What the engine refuses is tried again with the next look."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="timer topics")
            while True:
                self._woken.clear()
                try:
                    await self._look_at_clock()
                    await self._claim_due(group)
                except Refusal as refusal:
                    logger.warning("timers wait: %s", refusal.message)
                    self._put_off()
                except Exception:
                    logger.exception("claiming timers failed; it is tried again")
                    self._put_off()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._sleep_s()):
                        await self._woken.wait()

    async def drained(self) -> None:
        """After `run` was cancelled: wait until what was claimed is done, or for a while."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=DRAIN_S)
            for task in late:
                task.cancel()

    async def _listen(self) -> None:
        for topic in self._topics:
            # It goes on subscribing when it could not in time.
            with suppress(Unavailable):
                await self._feed.watch(topic)
        self._wake(*self._look_at)

    def _wake(self, *partitions: int) -> None:
        now = time.monotonic()
        self._look_at |= {each: min(self._look_at[each], now) for each in partitions if each in self._look_at}
        self._woken.set()

    def _put_off(self) -> None:
        again = time.monotonic() + self._limits.look_s
        self._look_at = {partition: max(again, at) for partition, at in self._look_at.items()}

    def _sleep_s(self) -> float:
        """Until there is something to look at and room to do it; a task that ends wakes us too."""
        if len(self._running) >= self._limits.at_once:
            return self._limits.look_s
        now = time.monotonic()
        wait_s = min(self._look_at.values(), default=now + self._limits.look_s) - now
        return max(0.0, wait_s, self._pace.wait_s(now))

    async def _claim_due(self, group: asyncio.TaskGroup) -> None:
        while self._look_at:
            room = min(CLAIMED_AT_ONCE, self._limits.at_once - len(self._running), self._pace.room(time.monotonic()))
            partition = min(self._look_at, key=self._look_at.__getitem__)
            if room < 1 or self._look_at[partition] > time.monotonic():
                return
            # A wake-up that comes before the answer may tell of what the answer does not: it counts from here on.
            self._look_at[partition] = time.monotonic() + self._limits.look_s
            try:
                claims = await self._timers.claim(partition, lease_ms=int(self._limits.lease_s * 1000), most=room)
            except Refusal as refusal:
                logger.warning("timers of partition %d wait: %s", partition, refusal.message)
                del self._look_at[partition]
                group.create_task(self._come_back(partition), name=f"timers of partition {partition}")
            except Exception:
                logger.exception("claiming timers of partition %d failed; it is tried again", partition)
            else:
                self._take(partition, claims)

    async def _come_back(self, partition: int) -> None:
        """Look at a partition again when its node answers."""
        while True:
            await asyncio.sleep(self._limits.look_s)
            try:
                await self._timers.claim(partition, lease_ms=0, most=0)
            except Refusal:
                continue
            except Exception:
                logger.exception("claiming timers of partition %d failed; it is tried again", partition)
            break
        self._look_at[partition] = time.monotonic()
        self._woken.set()

    def _take(self, partition: int, claims: Claims) -> None:
        """Do what was claimed, and look again when the next is due."""
        ahead_s = self._limits.look_s
        if claims.next_ms is not None:
            ahead_s = min(ahead_s, (claims.next_ms - claims.now_ms) / 1000)
        self._look_at[partition] = min(self._look_at[partition], time.monotonic() + ahead_s)
        self._pace.take(len(claims.claimed))
        for claimed in claims.claimed:
            self._start(claimed, claims.now_ms)

    def _start(self, claimed: Claimed, now_ms: int) -> None:
        if not claimed.tries:
            self.counts.late.observe((now_ms - claimed.timer.due_ms) / 1000)
        task = asyncio.create_task(self._do(claimed), name=f"timer {claimed.timer.name.kind}")
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._woken.set()

    async def _do(self, claimed: Claimed) -> None:
        name = claimed.timer.name
        try:
            await self._on_timer[name.kind](claimed)
            self.counts.fired += 1
        except Fenced:
            self.counts.fenced += 1
            logger.warning("a timer of %s was claimed by another process meanwhile, or armed anew", name.kind)
        except Refusal as refusal:
            self.counts.failed += 1
            logger.warning("a timer of %s waits: %s", name.kind, refusal.message)
            with suppress(Refusal):
                await self._timers.release(claimed, after_ms=RETRY_MS)
        except Exception:
            # Left to the end of its lease, which grows with every try: a defect does not become a busy loop.
            self.counts.failed += 1
            logger.exception("a timer of %s failed at try %d", name.kind, claimed.tries + 1)


class _Pace:
    """So many a second on average, and `burst` at once."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = float(burst)
        self._at = 0.0

    def room(self, now: float) -> int:
        """How many may begin now."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        return int(self._left)

    def take(self, count: int) -> None:
        """So many began."""
        self._left -= count

    def wait_s(self, now: float) -> float:
        """Until one may begin."""
        return max(0.0, (1 - self._left) / self._per_s - (now - self._at))
