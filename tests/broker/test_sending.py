"""The attempts of a round: what begins, in which order, and what does not."""

import asyncio
from time import monotonic

import pytest

from broker.deliveries import Outcome, Waiting
from broker.events import Frame
from broker.ids import Position
from broker.sending import send_in_order


def waiting(seq: int, *keys: str) -> Waiting:
    return Waiting(Frame(Position(1, seq), f"id{seq}", None, b"{}"), keys, 0, is_sent=True)


SENDS = [waiting(1, "a"), waiting(2, "a"), waiting(3, "b"), waiting(4, "a", "c"), waiting(5, "c")]


async def sent(
    at_once: int, *, status: dict[int, int | None], ends: float | None = None
) -> tuple[list[int], list[int]]:
    """The events that were tried, in that order, and those that have an outcome."""
    tried: list[int] = []

    async def attempt(each: Waiting) -> Outcome | None:
        seq = each.frame.position.seq
        tried.append(seq)
        await asyncio.sleep(0)
        code = status.get(seq, 200)
        return None if code is None else Outcome(code, None, 1, 1, retry_after_ms=5 if code == 429 else 0)

    ended = await send_in_order(SENDS, attempt, monotonic() + 60 if ends is None else ends, at_once)
    return tried, [each.seq for each in ended]


async def test_one_at_a_time_all_are_in_the_order_of_the_log() -> None:
    assert await sent(1, status={}) == ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])


@pytest.mark.parametrize("at_once", [1, 2])
async def test_what_has_a_key_of_one_that_failed_waits_and_the_others_go_on(at_once: int) -> None:
    assert await sent(at_once, status={1: 500}) == ([1, 3], [1, 3])
    tried, _ = await sent(at_once, status={4: 500})
    assert sorted(tried) == [1, 2, 3, 4]


@pytest.mark.parametrize("code", [410, 429])
async def test_nothing_begins_after_one_said_to_wait_or_that_it_is_gone(code: int) -> None:
    assert await sent(1, status={1: code}) == ([1], [1])


async def test_nothing_begins_when_the_time_is_over_or_the_endpoint_is_another_one() -> None:
    assert await sent(1, status={}, ends=0.0) == ([], []) == await sent(2, status={}, ends=0.0)
    assert await sent(1, status={2: None}) == ([1, 2], [1])
