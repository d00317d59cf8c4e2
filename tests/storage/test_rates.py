"""Rate limits in the engine: bursts, waits, batches larger than a burst, and two processes that count together."""

import asyncio

import pytest

from broker.errors import TooMany
from broker.rates import Rate
from broker.storage.engine import Engine, open_engine
from broker.storage.rates import RateLimits

SLOW = Rate(0.01, 3)


async def test_a_burst_passes_and_the_next_one_is_told_when_to_come_back(engine: Engine) -> None:
    limits = RateLimits(engine)
    for _ in range(3):
        await limits.take("events-per-token", "ann", SLOW)
    with pytest.raises(TooMany) as caught:
        await limits.take("events-per-token", "ann", SLOW)
    assert caught.value.message == "Too many events per token"
    assert 95 <= (caught.value.retry_after_s or 0) <= 100


async def test_limits_and_callers_are_counted_apart(engine: Engine) -> None:
    limits = RateLimits(engine)
    for name, whose in (("events-per-token", "ann"), ("events-per-token", "bob"), ("events-per-channel", "ann")):
        await limits.take(name, whose, SLOW, cost=3)


async def test_a_refused_call_costs_nothing(engine: Engine) -> None:
    limits = RateLimits(engine)
    await limits.take("events-per-token", "ann", SLOW, cost=2)
    with pytest.raises(TooMany):
        await limits.take("events-per-token", "ann", SLOW, cost=2)
    await limits.take("events-per-token", "ann", SLOW, cost=1)


async def test_a_batch_larger_than_the_burst_passes_when_nothing_else_was_taken(engine: Engine) -> None:
    limits = RateLimits(engine)
    await limits.take("events-per-token", "ann", SLOW, cost=10)
    with pytest.raises(TooMany) as caught:
        await limits.take("events-per-token", "ann", SLOW)
    assert (caught.value.retry_after_s or 0) > 700


async def test_time_gives_back_what_was_taken(engine: Engine) -> None:
    limits = RateLimits(engine)
    await limits.take("events-per-token", "ann", SLOW, cost=3)
    engine.clock_offset_ms = 100_000
    await limits.take("events-per-token", "ann", SLOW)
    with pytest.raises(TooMany):
        await limits.take("events-per-token", "ann", SLOW)


async def test_processes_count_together_and_no_more_than_the_burst_passes(engine_url: str, engine: Engine) -> None:
    other = await open_engine(engine_url)
    calls = [RateLimits(each).take("events-per-token", "ann", SLOW) for each in (engine, other) * 10]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    await other.close()
    assert [outcome for outcome in outcomes if not isinstance(outcome, TooMany)] == [None] * 3


async def test_nothing_stays_of_a_limit_that_is_not_used(engine: Engine) -> None:
    await RateLimits(engine).take("events-per-token", "ann", Rate(0.1, 10))
    (key,) = [key async for key in engine.client.scan_iter("*:rate:*")]
    assert 0 < await engine.client.pttl(key) <= 10_001
