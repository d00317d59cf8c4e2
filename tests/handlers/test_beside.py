"""Loops that run beside: until the stack is closed, a defect of one is said, and none outlives its end."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest

from handlers import beside
from handlers.beside import cancelled, run_beside


async def test_they_run_until_the_stack_is_closed() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def loop() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with AsyncExitStack() as stack:
        run_beside(stack, loop=loop())
        await asyncio.wait_for(begun.wait(), 10)
        assert not ended.is_set()
    assert ended.is_set()


async def test_one_that_ends_by_itself_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("a defect")

    async with AsyncExitStack() as stack:
        run_beside(stack, broken=broken())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert "a defect" in caplog.text


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "CANCEL_AGAIN_S", 0.01)
    begun, lost = asyncio.Event(), list[str]()

    async def losing() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.append("one")
        await asyncio.Event().wait()

    task = asyncio.create_task(losing())
    await begun.wait()
    await asyncio.wait_for(cancelled(task), 10)
    assert task.cancelled() and lost == ["one"]
