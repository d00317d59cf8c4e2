"""What a process has begun is counted, seen to its end, and cut where it takes too long."""

import asyncio
import logging

import pytest

from handlers import under_way
from handlers.under_way import UnderWay


async def test_the_end_waits_for_what_is_under_way() -> None:
    tasks, goes_on, ended = UnderWay("work", "work failed"), asyncio.Event(), list[str]()

    async def work() -> None:
        await goes_on.wait()
        ended.append("work")

    tasks.start(work(), lambda: ended.append("at end"))
    assert len(tasks) == 1
    asyncio.get_running_loop().call_soon(goes_on.set)
    await tasks.drained()
    await asyncio.sleep(0)
    assert ended == ["work", "at end"] and len(tasks) == 0
    await tasks.drained()


async def test_what_takes_too_long_is_cancelled_and_may_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "DRAIN_S", 0.01)
    tasks, told = UnderWay("work", "work failed"), list[str]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("given back")
            raise

    tasks.start(work())
    await asyncio.sleep(0)
    await tasks.drained()
    assert told == ["given back"]


async def test_what_fails_is_logged_and_its_place_is_free(caplog: pytest.LogCaptureFixture) -> None:
    tasks, ended = UnderWay("work", "work failed"), asyncio.Event()

    async def work() -> None:
        raise RuntimeError("a defect")

    with caplog.at_level(logging.ERROR):
        tasks.start(work(), ended.set)
        await ended.wait()
    assert caplog.messages == ["work failed"] and len(tasks) == 0
