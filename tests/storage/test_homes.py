"""Channels with claimed names: they live, and commits append to them, where their claim says."""

from collections.abc import AsyncIterator

import orjson
import pytest

from broker.channels import NewChannel
from broker.errors import NotFound
from broker.storage.channels import Channels
from broker.storage.engine import Engine, open_engine
from broker.storage.homes import Homes, home_key
from broker.storage.keys import state_key

NAME = "live-watch-town-hall"


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[Engine]:
    engine = await open_engine(engine_url)
    yield engine
    await engine.close()


async def claim(engine: Engine, partition: int) -> None:
    key = state_key(engine.partition(NAME), *home_key(NAME))
    await engine.client.hset(key, mapping={"version": 1, "body": orjson.dumps({"partition": partition})})


async def test_a_channel_lives_where_the_claim_of_its_name_says(engine: Engine) -> None:
    elsewhere = (engine.partition(NAME) + 1) % engine.partitions
    homes, channels = Homes(engine), Channels(engine, most=10)
    assert await homes.find([NAME, "news", "live-team-acme"]) == [
        *(engine.partition(NAME), engine.partition("news"), engine.partition("acme")),
    ]
    await claim(engine, elsewhere)
    assert await homes.find(["news", NAME]) == [engine.partition("news"), elsewhere]
    made = await channels.create(NewChannel(NAME, "Town hall"))
    assert made.partition == elsewhere
    assert await Channels(engine, most=10).find(NAME) == made
    assert [each.record for each in await channels.load([NAME])] == [made]


async def test_what_deletes_a_channel_spares_the_one_that_was_made_under_its_name_since(engine: Engine) -> None:
    channels = Channels(engine, most=10)
    first = await channels.create(NewChannel(NAME, "first"))
    await channels.delete(NAME)
    second = await channels.create(NewChannel(NAME, "second"))
    with pytest.raises(NotFound):
        await channels.delete_this(first)
    assert await channels.refresh(NAME) == second
