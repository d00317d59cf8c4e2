"""Loops that run beside: until the stack is closed, and a defect of one is said."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from handlers.beside import run_beside


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
