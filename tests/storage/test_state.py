"""Reading: documents and tails of one moment, pages of an index, and documents that have ended."""

import json

import pytest

from broker.change import Change, Delete, DocumentKey, Entry, Put, emit
from broker.channels import NewChannel
from broker.storage.keys import partition_keys
from broker.storage.lifetimes import Lifetimes
from broker.storage.state import Loaded
from tests.stores import Store

OWNER = "acme"
TEAM = NewChannel("cuey-team-acme", "acme")


def key(number: int) -> DocumentKey:
    return DocumentKey("call", f"acme/{number}")


def entries(number: int, status: str) -> tuple[Entry, ...]:
    member = f"acme/{number}"
    return Entry("calls/acme", number, member), Entry(f"calls/acme/{status}", number, member)


async def put(store: Store, number: int, status: str, *, expires_ms: int | None = None) -> None:
    def decide(loaded: Loaded) -> Change:
        found = loaded.documents[key(number)]
        body = json.dumps([number, status]).encode()
        return Change((Put(key(number), found.version if found else 0, body, entries(number, status), expires_ms),))

    await store.commits.execute(OWNER, [key(number)], decide)


async def listed(store: Store, index: str, **more: object) -> tuple[int, list[int]]:
    page = await store.reader.page(store.engine.partition(OWNER), "call", index, **more)  # type: ignore[arg-type]
    return page.total, [json.loads(document.body)[0] for _, document in page.documents]


async def test_lists_follow_the_documents(store: Store) -> None:
    for number in range(5):
        await put(store, number, "open")
    await put(store, 2, "done")
    assert await listed(store, "calls/acme") == (5, [0, 1, 2, 3, 4])
    assert await listed(store, "calls/acme/open", is_descending=True) == (4, [4, 3, 1, 0])
    assert await listed(store, "calls/acme/done") == (1, [2])

    def remove(loaded: Loaded) -> Change:
        document = loaded.documents[key(3)]
        assert document is not None
        return Change((Delete(key(3), document.version),))

    await store.commits.execute(OWNER, [key(3)], remove)
    assert await listed(store, "calls/acme/open") == (3, [0, 1, 4])
    assert await listed(store, "calls/acme", skip=1, limit=2) == (4, [1, 2])
    assert await listed(store, "calls/acme", lowest="(1", highest="4") == (2, [2, 4])


async def test_a_page_comes_with_the_tail_of_its_log(store: Store) -> None:
    team = await store.channels.ensure(TEAM)
    await put(store, 1, "open")
    event = emit(TEAM.id, "cuey.event.created", 1, "system-cuey")
    await store.commits.execute(OWNER, [], lambda _: Change(events=(event,)), logs=(TEAM,))
    [frame] = await store.all(team)
    page = await store.reader.page(team.partition, "call", "calls/acme", log=team)
    loaded = (await store.reader.read(team.partition, [key(1)], logs=(team,))).loaded
    assert page.tail == loaded.tail and page.tail is not None
    assert page.tail.channel_id == TEAM.id and page.tail.cursor == frame.id
    assert abs(loaded.now_ms - await store.engine.now_ms()) < 1_000


async def test_a_tail_is_that_of_the_log_that_is_there_now(store: Store, other: Store) -> None:
    old = await store.channels.ensure(TEAM)
    await other.channels.delete(TEAM.id)
    new = await other.channels.ensure(TEAM)
    loaded = (await store.reader.read(old.partition, [], logs=(old,))).loaded
    assert loaded.records[TEAM.id].tag == new.tag != old.tag


@pytest.mark.parametrize("is_swept", [False, True])
async def test_a_document_that_has_ended_is_absent_and_can_be_made_again(store: Store, *, is_swept: bool) -> None:
    now_ms = await store.engine.now_ms()
    await put(store, 1, "open", expires_ms=now_ms + 60_000)
    await put(store, 2, "open")
    partition = store.engine.partition(OWNER)
    assert await listed(store, "calls/acme") == (2, [1, 2])
    store.engine.clock_offset_ms += 60_001
    if is_swept:
        assert await Lifetimes(store.engine, interval_s=1).sweep() == 1
        assert await listed(store, "calls/acme") == (1, [2])
        assert not [name for name in await store.keys() if name.endswith(":state:call:acme/1")]
    assert (await store.reader.read(partition, [key(1)])).loaded.documents[key(1)] is None
    await put(store, 1, "done")
    assert await listed(store, "calls/acme") == (2, [1, 2])
    assert await listed(store, "calls/acme/open") == (1, [2])
    assert await Lifetimes(store.engine, interval_s=1).sweep() == 0


async def test_a_lifetime_that_was_taken_back_does_not_end_the_document(store: Store) -> None:
    await put(store, 1, "open", expires_ms=await store.engine.now_ms() + 10)
    await put(store, 1, "open")
    store.engine.clock_offset_ms += 1_000
    assert await Lifetimes(store.engine, interval_s=1).sweep() == 0
    assert await listed(store, "calls/acme") == (1, [1])


async def test_many_that_have_ended_are_removed_in_bounded_steps(store: Store) -> None:
    ends_ms = await store.engine.now_ms() + 1_000
    puts = tuple(Put(key(n), 0, b"1", entries(n, "open"), ends_ms) for n in range(250))
    await store.commits.execute(OWNER, [], lambda _: Change(puts))
    store.engine.clock_offset_ms += 1_001
    assert await Lifetimes(store.engine, interval_s=1).sweep() == 250
    assert await listed(store, "calls/acme") == (0, [])
    assert not [name for name in await store.keys() if "state:" in name or "index:" in name or "expiries" in name]


async def test_a_partition_that_fails_does_not_hold_up_the_others(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await put(store, 1, "open", expires_ms=await store.engine.now_ms() + 10)
    broken = 0 if store.engine.partition(OWNER) else 1
    assert broken < store.engine.partition(OWNER), "the one that fails comes first"
    await store.engine.client.set(partition_keys(broken).expiries, "no sorted set")
    store.engine.clock_offset_ms += 1_000
    assert await Lifetimes(store.engine, interval_s=1).sweep() == 1
    assert f"removing documents in partition {broken} failed" in caplog.text
