"""Turns: one at a time for a key, and nothing kept for keys that nobody is interested in."""

import asyncio
import gc

import pytest

from broker.errors import Unavailable
from broker.storage.turns import Turns


async def test_those_who_want_the_same_wait_for_each_other_in_order() -> None:
    turns, order, inside = Turns(), [], 0

    async def take(number: int) -> None:
        nonlocal inside
        async with turns.of("a"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            order.append(number)
            inside -= 1

    await asyncio.gather(*[take(number) for number in range(10)])
    assert order == list(range(10))
    gc.collect()
    assert len(turns._queues) == 0


async def test_another_key_does_not_wait_and_an_error_gives_the_turn_back() -> None:
    turns = Turns()
    async with turns.of("a"), turns.of("b"):
        pass
    with pytest.raises(ZeroDivisionError):
        async with turns.of("a"):
            raise ZeroDivisionError
    async with turns.of("a"):
        pass


async def test_a_turn_that_does_not_come_is_unavailable() -> None:
    turns = Turns(wait_s=0.01)
    async with turns.of("a"):
        with pytest.raises(Unavailable):
            async with turns.of("a"):
                pass
