"""A watch looks again after whatever happened."""

import asyncio

import pytest

from broker.errors import Unavailable
from handlers import looking
from handlers.looking import look_forever


async def test_neither_a_refusal_nor_a_defect_ends_a_watch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(looking, "CHECK_S", 0)
    looks, third = [Unavailable("the engine is away"), RuntimeError("a defect")], asyncio.Event()

    async def look() -> None:
        if looks:
            raise looks.pop(0)
        third.set()

    watch = asyncio.create_task(look_forever(look, "the keys could not be read"))
    await asyncio.wait_for(third.wait(), 10)
    watch.cancel()
    assert caplog.messages == ["the keys could not be read: the engine is away", "the keys could not be read"]
