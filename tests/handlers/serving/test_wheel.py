"""The wheel: never early, each once, and not at all when taken out."""

import asyncio
from itertools import pairwise

import pytest

from handlers.serving.wheel import Wheel
from tests.broker.virtual_loop import VirtualLoop


def turned(
    until_s: float, adding: list[tuple[str, float]], discarding: tuple[str, ...] = ()
) -> list[tuple[str, float]]:
    """What fired, and when, in virtual time."""
    fired: list[tuple[str, float]] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        wheel: Wheel[str] = Wheel(lambda item: fired.append((item, loop.time())), grain_s=0.5)
        ticks = {item: wheel.add(item, in_s) for item, in_s in adding}
        for item in discarding:
            wheel.discard(item, ticks[item])
        await asyncio.sleep(until_s)
        assert len(wheel) == len(adding) - len(discarding) - len(fired)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())
    return fired


def test_each_fires_once_never_early_and_late_by_at_most_a_grain() -> None:
    adding = [("c", 7.2), ("a", 0.1), ("b", 0.3), ("d", 7.3), ("e", 100.0)]
    fired = turned(50, adding)
    assert sorted(item for item, _ in fired) == ["a", "b", "c", "d"]
    for item, at_s in fired:
        assert dict(adding)[item] <= at_s <= dict(adding)[item] + 0.51


def test_one_that_comes_later_but_is_due_earlier_fires_in_its_time() -> None:
    assert [item for item, _ in turned(50, [("late", 20), ("soon", 1)])] == ["soon", "late"]


def test_one_that_was_taken_out_does_not_fire() -> None:
    assert [item for item, _ in turned(50, [("a", 1), ("b", 1), ("c", 2)], discarding=("a", "c"))] == ["b"]


async def test_one_that_is_taken_out_twice_or_after_it_fired_harms_nobody() -> None:
    fired = asyncio.Event()
    wheel: Wheel[str] = Wheel(lambda _: fired.set(), grain_s=0.01)
    tick = wheel.add("x", 0.0)
    await asyncio.wait_for(fired.wait(), 5)
    wheel.discard("x", tick)
    wheel.discard("y", 12)
    assert len(wheel) == 0


def test_one_that_fails_is_told_in_the_log_and_keeps_no_other_from_its_turn(caplog: pytest.LogCaptureFixture) -> None:
    fired: list[str] = []

    def fire(item: str) -> None:
        fired.append(item)
        raise ValueError(item)

    async def run() -> None:
        wheel: Wheel[str] = Wheel(fire, grain_s=0.5)
        for item, in_s in (("a", 1.0), ("b", 1.0), ("c", 3.0)):
            wheel.add(item, in_s)
        await asyncio.sleep(10)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())
    assert sorted(fired) == ["a", "b", "c"]
    assert [record.getMessage() for record in caplog.records if record.exc_info] == ["what was due has failed"] * 3
    caplog.clear()


def test_what_is_added_while_it_fires_fires_too() -> None:
    fired: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def again(item: str) -> None:
            fired.append(loop.time())
            if len(fired) < 4:
                wheel.add(item, 1.0)

        wheel: Wheel[str] = Wheel(again, grain_s=0.5)
        wheel.add("x", 1.0)
        await asyncio.sleep(10)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())
    assert len(fired) == 4
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(fired))
