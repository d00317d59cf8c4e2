"""Channels with claimed names: they live, and commits append to them, where their claim says."""

import orjson
import pytest

from broker.change import Change, emit
from broker.channels import NewChannel
from broker.errors import NotFound
from broker.storage.channels import Channels
from broker.storage.engine import Engine
from broker.storage.homes import Homes, home_key
from broker.storage.keys import state_key
from tests.stores import Store, data_of

NAME = "live-watch-town-hall"


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


async def changed_hands(store: Store, other: Store, to: str) -> NewChannel:
    """The channel, which `other` remembers as it was when it was acme's; now it is `to`'s and not made yet."""
    new = NewChannel(NAME, "Town hall")
    await claim(store.engine, store.engine.partition("acme"))
    assert (await store.channels.create(new)).id == (await other.channels.find(NAME)).id
    await store.channels.delete(NAME)
    await claim(store.engine, store.engine.partition(to))
    return new


@pytest.mark.parametrize("is_made_again", [False, True])
@pytest.mark.parametrize("to", ["acme", "far"])
async def test_a_commit_appends_to_a_channel_that_changed_hands_behind_its_back(
    store: Store, other: Store, to: str, is_made_again: bool
) -> None:
    assert store.engine.partition("acme") != store.engine.partition("far")
    new = await changed_hands(store, other, to)
    if is_made_again:
        await store.channels.create(new)
    events = (emit(NAME, "live.watch.changed", 1, "system-live"),)
    team = NewChannel(f"live-team-{to}", to)
    await other.commits.execute(to, [], lambda _: Change(events=events), logs=(team, new))
    found = await store.channels.refresh(NAME)
    assert found.partition == store.engine.partition(to)
    assert data_of(await store.all(found)) == [1]


async def test_a_log_that_lives_elsewhere_is_read_where_its_claim_says(store: Store, other: Store) -> None:
    new = await changed_hands(store, other, "far")
    made = await store.channels.create(new)
    partition = store.engine.partition("far")
    remembered = await other.channels.find(NAME)
    found = await other.reader.read(partition, [], logs=(remembered,))
    assert found.loaded.records[NAME] == made


async def test_a_commit_refuses_a_log_of_another_owner(store: Store) -> None:
    with pytest.raises(ValueError, match="another partition"):
        await store.commits.execute("far", [], lambda _: Change(), logs=(NewChannel("live-team-acme", "acme"),))
