"""Glances: asked together, answered with what was so after the asking."""

import asyncio
from typing import Any

import pytest

from broker.channels import ChannelRecord
from broker.cursors import LogMeta
from broker.errors import Unavailable
from broker.storage.glances import Glances
from tests.stores import Store


class Counted:
    """The channels of a store, counting their calls."""

    def __init__(self, store: Store) -> None:
        self._channels = store.channels
        self.asked: list[list[str]] = []
        self.error: Exception | None = None

    async def metas(self, records: list[ChannelRecord]) -> list[LogMeta | None]:
        self.asked.append([record.id for record in records])
        if self.error is not None:
            raise self.error
        return await self._channels.metas(records)


@pytest.fixture
def counted(store: Store) -> Counted:
    return Counted(store)


def glances(counted: Any) -> Glances:
    return Glances(counted)


async def test_many_who_ask_at_once_cost_one_call(store: Store, counted: Counted) -> None:
    one, other = await store.create("one"), await store.create("other")
    looking = glances(counted)
    metas = await asyncio.gather(*(looking.look(channel) for channel in [one, other] * 10))
    assert counted.asked == [["one", "other"]]
    assert {meta.start for meta in metas if meta} == {one.start, other.start}


async def test_who_asks_while_a_call_is_under_way_is_answered_by_the_next(store: Store, counted: Counted) -> None:
    channel = await store.create("one")
    looking = glances(counted)
    first = asyncio.create_task(looking.look(channel))
    while not counted.asked:
        await asyncio.sleep(0)
    await store.publish(channel, 1)
    meta = await looking.look(channel)
    assert meta is not None and meta.event_count == 1
    assert (await first) is not None and len(counted.asked) == 2


async def test_a_log_that_is_gone_is_none_and_an_engine_that_is_away_is_told_to_all(
    store: Store, counted: Counted
) -> None:
    channel = await store.create("one")
    await store.channels.delete("one")
    looking = glances(counted)
    assert await looking.look(channel) is None
    counted.error = Unavailable("away", retry_after_s=1)
    outcomes = await asyncio.gather(*(looking.look(channel) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    counted.error = None
    assert await looking.look(channel) is None


async def test_who_goes_away_takes_no_answer_from_the_others(store: Store, counted: Counted) -> None:
    channel = await store.create("one")
    looking = glances(counted)
    gone, stays = (asyncio.create_task(looking.look(channel)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays) is not None
