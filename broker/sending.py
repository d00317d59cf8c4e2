"""The attempts of a round, one after the other where order counts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from broker.deliveries import Outcome, Waiting
from broker.ids import Position

Attempting = Callable[[Waiting], Awaitable[Outcome | None]]


async def send_in_order(
    sends: Sequence[Waiting], attempt: Attempting, ends: float, at_once: int
) -> dict[Position, Outcome]:
    """What came of the attempts: `at_once` at a time, and of two with a common key the second after the first.

    None begins at `ends` or later, by our own clock, nor after one of them said to wait, or that it is gone. One at a
    time they are in the order of the log, whatever they are about.
    """
    return await (_send_each(sends, attempt, ends) if at_once == 1 else _send_some(sends, attempt, ends, at_once))


async def _send_each(sends: Sequence[Waiting], attempt: Attempting, ends: float) -> dict[Position, Outcome]:
    outcomes: dict[Position, Outcome] = {}
    held: set[str] = set()
    for each in sends:
        if held.isdisjoint(each.keys):
            outcome = None if monotonic() >= ends else await attempt(each)
            if outcome is None:
                break
            outcomes[each.frame.position] = outcome
            if _is_told(outcome):
                break
            if outcome.is_taken:
                continue
        held.update(each.keys)
    return outcomes


async def _send_some(
    sends: Sequence[Waiting], attempt: Attempting, ends: float, at_once: int
) -> dict[Position, Outcome]:
    outcomes: dict[Position, Outcome] = {}
    gate, last, told = asyncio.Semaphore(at_once), dict[str, "asyncio.Task[bool]"](), asyncio.Event()

    async def one(each: Waiting, earlier: Sequence["asyncio.Task[bool]"]) -> bool:
        for task in earlier:
            if not await task:
                return False
        async with gate:
            outcome = None if told.is_set() or monotonic() >= ends else await attempt(each)
        if outcome is None:
            return False
        if _is_told(outcome):
            told.set()
        outcomes[each.frame.position] = outcome
        return outcome.is_taken

    async with asyncio.TaskGroup() as group:
        for each in sends:
            task = group.create_task(one(each, [last[key] for key in each.keys if key in last]))
            last.update(dict.fromkeys(each.keys, task))
    return outcomes


def _is_told(outcome: Outcome) -> bool:
    """Whether the receiver said to come back later, or never."""
    return outcome.retry_after_ms > 0 or outcome.status == 410
