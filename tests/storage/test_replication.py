"""Waiting for a replica, on an engine that has none; with one: `tests/storage/cluster/test_fail_over.py`."""

import pytest

from broker.change import Change, DocumentKey, Put
from broker.errors import Unavailable
from broker.storage.appender import Ack
from broker.storage.replication import then_wait
from broker.storage.state import Loaded
from tests.stores import data_of, open_store


async def test_a_publish_that_no_replica_has_is_stored_and_refused_each_time(engine_url: str) -> None:
    async with open_store(engine_url, ack=Ack(50)) as store:
        channel = await store.create()
        for _ in range(2):
            with pytest.raises(Unavailable, match="no replica has it yet") as refusal:
                await store.publish(channel, 1, key="mine")
            assert (refusal.value.retry_after_s, refusal.value.extra) == (1, {"code": "not_replicated"})
        assert data_of(await store.all(channel)) == [1]


async def test_a_publish_that_stores_nothing_is_told_why_whether_there_is_a_replica_or_not(engine_url: str) -> None:
    async with open_store(engine_url, ack=Ack(50)) as store:
        channel = await store.create()
        for body in (1, 2):
            with pytest.raises(Exception, match="no replica" if body == 1 else "another body"):
                await store.publish(channel, body, key="mine")


async def test_the_answer_of_the_write_comes_with_it(engine_url: str) -> None:
    async with open_store(engine_url) as store:
        call = ("SET", "{p00}:waited", "1")
        assert await then_wait(store.engine.client, call, 20) == (True, False)


async def test_a_commit_that_no_replica_has_is_written_and_refused_and_so_is_what_repeats_it(engine_url: str) -> None:
    thing = DocumentKey("thing", "acme/a")

    def decide(loaded: Loaded) -> Change:
        found = loaded.documents[thing]
        return Change() if found else Change((Put(thing, 0, b"1"),))

    async with open_store(engine_url, ack=Ack(50)) as store:
        for _ in range(2):
            with pytest.raises(Unavailable, match="no replica has it yet") as refusal:
                await store.commits.execute("acme", [thing], decide)
            assert refusal.value.extra == {"code": "not_replicated"}
        found = (await store.reader.read(store.engine.partition("acme"), [thing])).loaded.documents[thing]
        assert found is not None and found.body == b"1"
