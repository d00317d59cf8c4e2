"""Timers in the engine: claimed under a lease, given back, and shown (design section 5).

They are armed and disarmed by commits only. The engine's clock decides when one is due, and its scripts round down what
the time is, so none is early. A claim has a fence: a commit with an older one writes nothing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from broker.storage.engine import Engine
from broker.storage.keys import partition_keys
from broker.storage.scripts import CLAIM_TIMERS, LIST_TIMERS, RELEASE_TIMER
from broker.timers import Claimed, Pending, Timer, parse_member, render_member


class Claims(NamedTuple):
    """What was claimed at `now_ms`, and when the partition's next timer is due, None when it has no other."""

    now_ms: int
    next_ms: int | None
    claimed: list[Claimed]


class Listing(NamedTuple):
    """The timers that are due next, in that order, and how many there are in all."""

    total: int
    timers: list[Pending]


class Timers:
    """The timers of all partitions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return self._engine.partitions

    def topic(self, partition: int) -> str:
        """The topic that tells of timers due earlier than all others."""
        return partition_keys(partition).timer_topic

    async def claim(self, partition: int, *, lease_ms: int, most: int) -> Claims:
        """Claim due timers of a partition for ourselves, the oldest first. Raises `Unavailable`."""
        own = partition_keys(partition)
        answer = await CLAIM_TIMERS(
            self._engine.steady, [own.timers, own.claims, own.fences], [self._engine.clock_offset_ms, lease_ms, most]
        )
        return parse_claims(answer)

    async def release(self, claimed: Claimed, *, after_ms: int) -> None:
        """Give a timer back, to be due again after a while. Raises `Unavailable`."""
        own = partition_keys(self._engine.partition(claimed.timer.name.owner))
        words = [self._engine.clock_offset_ms, render_member(claimed.timer.name), claimed.fence, after_ms]
        await RELEASE_TIMER(self._engine.steady, [own.timers, own.claims], words)

    async def pending(self, *, limit: int) -> Listing:
        """The `limit` timers that are due next, of all partitions. Raises `Unavailable`."""
        total, found = 0, []
        for partition in range(self._engine.partitions):
            own = partition_keys(partition)
            count, *rest = await LIST_TIMERS(self._engine.client, [own.timers, own.claims], [limit])
            total += count
            found += [_pending(*row) for row in _in_rows(rest, 3)]
        return Listing(total, sorted(found, key=lambda each: each.timer.due_ms)[:limit])


def parse_claims(answer: Sequence[Any]) -> Claims:
    """What a script says that claims."""
    now, following, *rest = answer
    claimed = [
        Claimed(Timer(parse_member(member), int(due)), int(fence), int(tries))
        for member, fence, due, tries in _in_rows(rest, 4)
    ]
    return Claims(int(now), int(following) if following else None, claimed)


def _pending(member: bytes, due: bytes, claim: bytes) -> Pending:
    if not claim:
        return Pending(Timer(parse_member(member), int(due)), False, 0)
    _, first, tries = claim.split()
    return Pending(Timer(parse_member(member), int(first)), True, int(tries))


def _in_rows(flat: Sequence[Any], width: int) -> list[Sequence[Any]]:
    return [flat[i : i + width] for i in range(0, len(flat), width)]
