"""The test clock: an offset that all processes share and that only rises."""

import asyncio

import pytest

from broker.storage.clock import Clock
from broker.storage.engine import EngineUnfit
from tests.stores import Store


async def test_an_offset_is_everybodys(store: Store, other: Store) -> None:
    assert await Clock(store.engine, is_test=True).advance(5_000) == 5_000
    assert store.engine.clock_offset_ms == 5_000
    theirs = Clock(other.engine, is_test=True)
    await theirs.start()
    assert other.engine.clock_offset_ms == 5_000
    await Clock(store.engine, is_test=True).advance(1)
    await theirs.look()
    assert other.engine.clock_offset_ms == 5_001


async def test_an_answer_that_was_on_its_way_does_not_set_the_clock_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(store.engine, is_test=True)
    is_answered, go_on = asyncio.Event(), asyncio.Event()
    answer_of = clock._offset

    async def late() -> int:
        known = await answer_of()
        is_answered.set()
        await go_on.wait()
        return known

    monkeypatch.setattr(clock, "_offset", late)
    looking = asyncio.create_task(clock.look())
    await is_answered.wait()
    await clock.advance(60_000)
    go_on.set()
    await looking
    assert store.engine.clock_offset_ms == 60_000


async def test_the_real_clock_has_no_offset_and_refuses_data_that_has(store: Store) -> None:
    real = Clock(store.engine, is_test=False)
    await real.start()
    await Clock(store.engine, is_test=True).advance(1)
    store.engine.clock_offset_ms = 0
    await real.look()
    assert store.engine.clock_offset_ms == 0
    with pytest.raises(EngineUnfit, match="test clock"):
        await real.start()
