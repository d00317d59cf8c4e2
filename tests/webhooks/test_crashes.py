"""Processes that are killed while they deliver: nothing is lost or reordered, and what is sent twice has one id."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.channels import ChannelRecord
from tests.engines import running_engine
from tests.killable import said
from tests.receivers import Receiver, receiving
from tests.stores import Store, open_store
from tests.webhooks.postman import follow
from tests.webhooks.postmen import delivering, postman

PLACES = ("send", "record", "rest")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def channel(store: Store) -> ChannelRecord:
    return await store.create()


@pytest.mark.parametrize("place", PLACES)
async def test_who_is_killed_anywhere_leaves_the_rest_to_another(
    store: Store, channel: ChannelRecord, engine_url: str, receiver: Receiver, place: str
) -> None:
    await follow(store, channel, receiver.url)
    async with postman(engine_url, place) as process:
        await store.publish(channel, 1, 2, 3)
        assert await said(process) == place
        process.kill()
        await process.wait()
    before = len(receiver.taken)
    assert before == {"send": 0, "record": 1, "rest": 3}[place]
    async with delivering(store):
        await store.publish(channel, 4)
        await receiver.until(lambda one: any(each.data == 4 for each in one.taken))
    taken = [each.data for each in receiver.taken]
    assert taken == {"send": [1, 2, 3, 4], "record": [1, 1, 2, 3, 4], "rest": [1, 2, 3, 4]}[place]
    ids = {each.data: each.headers["webhook-id"] for each in receiver.taken}
    assert Counter((each.data, each.headers["webhook-id"]) for each in receiver.taken).keys() == set(ids.items())


async def test_who_stood_still_past_its_lease_records_nothing_over_what_others_did(
    store: Store, channel: ChannelRecord, engine_url: str, receiver: Receiver
) -> None:
    await follow(store, channel, receiver.url)
    async with postman(engine_url, "none") as process:
        os.kill(process.pid, signal.SIGSTOP)
        await store.publish(channel, *range(10))
        async with delivering(store):
            assert await receiver.took(10) == list(range(10))
            os.kill(process.pid, signal.SIGCONT)
            await store.publish(channel, 10)
            await receiver.took(11)
    assert [each.data for each in receiver.taken] == list(range(11))


async def test_an_engine_that_dies_under_deliveries_loses_none_of_them(tmp_path: Path, receiver: Receiver) -> None:
    with running_engine(tmp_path) as engine:
        async with open_store(engine.url) as store:
            channel = await store.create()
            await follow(store, channel, receiver.url)
            watching = asyncio.create_task(engine.watch())
            async with delivering(store):
                for batch in range(4):
                    await store.publish(channel, *range(batch * 25, batch * 25 + 25))
                await receiver.took(10)
                assert engine.pid is not None
                os.kill(engine.pid, signal.SIGKILL)
                await receiver.until(lambda one: any(each.data == 99 for each in one.taken), 30)
            watching.cancel()
    assert list(dict.fromkeys(each.data for each in receiver.taken)) == list(range(100))


async def test_processes_that_are_killed_again_and_again_lose_nothing_and_keep_the_order(
    store: Store, channel: ChannelRecord, engine_url: str, receiver: Receiver
) -> None:
    await follow(store, channel, receiver.url)
    for kill in range(4):
        async with postman(engine_url, "none") as process:
            for n in range(25):
                await store.publish(channel, kill * 25 + n)
            await receiver.until(lambda one, kill=kill: len(one.taken) > kill * 25)  # type: ignore[misc]
            process.kill()
            await process.wait()
    async with delivering(store):
        await receiver.until(lambda one: any(each.data == 99 for each in one.taken), 20)
    firsts = list(dict.fromkeys(each.data for each in receiver.taken))
    assert firsts == list(range(100))
    assert len({each.headers["webhook-id"] for each in receiver.taken}) == 100
