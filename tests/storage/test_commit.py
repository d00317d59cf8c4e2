"""Commits: all or nothing, decided again on conflict, answered once for a key, with the feed and ids of publishes."""

import asyncio
import json
from typing import Any

import pytest

from broker.change import NOTHING, Answer, Change, Delete, DocumentKey, Entry, Put, emit
from broker.channels import NewChannel
from broker.errors import Conflict, Invalid, KeyReused, NotFound, TooLarge
from broker.idempotency import IdempotencyKey, make_key
from broker.ids import parse_ulid
from broker.storage.channels import keys_of
from broker.storage.commit import Needs
from broker.storage.feed import parse_feed
from broker.storage.state import Loaded
from tests.stores import Store, data_of, ids_of, listening

OWNER = "acme"
TEAM = NewChannel("lifecycle-team-acme", "acme")
ORG = NewChannel("calendar-org-acme", "acme")
A, B = DocumentKey("thing", "acme/a"), DocumentKey("thing", "acme/b")


def put(loaded: Loaded, key: DocumentKey, value: Any, **more: Any) -> Put:
    found = loaded.documents[key]
    return Put(key, found.version if found else 0, json.dumps(value).encode(), **more)


def value_of(loaded: Loaded, key: DocumentKey) -> Any:
    found = loaded.documents[key]
    return json.loads(found.body) if found else None


def told(data: Any, *, log: NewChannel = TEAM) -> Any:
    return emit(log.id, "lifecycle.thing.changed", data, "system-lifecycle")


def key_of(text: str = "k", body: bytes = b"{}") -> IdempotencyKey:
    key = make_key(text, 128, principal="p", method="POST", path="/x", body=body)
    assert key is not None
    return key


async def read(store: Store, *keys: DocumentKey) -> list[Any]:
    loaded = (await store.reader.read(store.engine.partition(OWNER), keys)).loaded
    return [value_of(loaded, key) for key in keys]


async def test_documents_events_on_two_logs_and_the_answer_are_one(store: Store) -> None:
    def decide(loaded: Loaded) -> Change:
        events = (told(1), told(1, log=ORG), told(2))
        return Change((put(loaded, A, 1), put(loaded, B, 2)), events, answer=Answer(200, b"done", TEAM.id))

    committed = await store.commits.execute(OWNER, [A, B], decide, logs=(TEAM, ORG))
    assert await read(store, A, B) == [1, 2]
    team, org = [await store.channels.find(each.id) for each in (TEAM, ORG)]
    frames = await store.all(team)
    assert data_of(frames) == [1, 2] and data_of(await store.all(org)) == [1]
    assert committed.positions[TEAM.id] == (frames[0].position, frames[1].position)
    assert committed.answer is not None
    assert committed.answer.cursor == frames[-1].id and committed.answer.body == b"done"
    assert team.partition == org.partition == store.engine.partition(OWNER)
    assert json.loads(frames[0].wire)["publisher_id"] == "system-lifecycle"


async def test_events_of_commits_and_publishes_share_ids_counters_and_feed(store: Store) -> None:
    team = await store.channels.ensure(TEAM)
    async with listening(store.engine.url, keys_of(team).topic) as heard:
        await store.commits.execute(OWNER, [], lambda _: Change(events=(told(1), told(2))), logs=(TEAM,))
        await store.publish(team, 3)
        await store.commits.execute(OWNER, [], lambda _: Change(events=(told(4),)), logs=(TEAM,))
        messages = [parse_feed(await asyncio.wait_for(heard.get(), 5)) for _ in range(3)]
    frames = await store.all(team)
    assert data_of(frames) == [1, 2, 3, 4]
    assert [frame.position for frame in frames] == sorted({frame.position for frame in frames})
    known = [message for message in messages if message is not None]
    assert [event.position for message in known for event in message.events] == [frame.position for frame in frames]
    assert [message.previous for message in known] == [team.start, frames[1].position, frames[2].position]
    assert (await store.channels.listed(TEAM.id)).meta.event_count == 4


async def test_a_refused_decision_writes_nothing(store: Store) -> None:
    def refuse(_: Loaded) -> Change:
        raise Conflict("no")

    with pytest.raises(Conflict):
        await store.commits.execute(OWNER, [A], refuse, logs=(TEAM,))
    assert await read(store, A) == [None]


async def test_a_conflict_is_decided_again_on_what_the_other_wrote(store: Store, other: Store) -> None:
    seen = []

    async def meanwhile() -> None:
        await other.commits.execute(OWNER, [A], lambda loaded: Change((put(loaded, A, 10),)))

    def decide(loaded: Loaded) -> Change:
        seen.append(value_of(loaded, A))
        return Change((put(loaded, A, (value_of(loaded, A) or 0) + 1),), (told(len(seen)),))

    # The first decision is on nothing; before it is written the other process writes.
    interrupted = asyncio.Event()
    original = store.reader.read

    async def read_then_be_late(*args: Any, **more: Any) -> Any:
        found = await original(*args, **more)
        if not interrupted.is_set():
            interrupted.set()
            await meanwhile()
        return found

    store.reader.read = read_then_be_late  # type: ignore[method-assign]
    await store.commits.execute(OWNER, [A], decide, logs=(TEAM,))
    assert seen == [None, 10]
    store.reader.read = original  # type: ignore[method-assign]
    assert await read(store, A) == [11]
    assert data_of(await store.all(await store.channels.find(TEAM.id))) == [2]


async def test_what_was_only_read_must_be_unchanged_too(store: Store, other: Store) -> None:
    """Two that each read both documents and write one: both cannot decide on the state before (write skew)."""

    def take(mine: DocumentKey) -> Any:
        def decide(loaded: Loaded) -> Change:
            if any(value_of(loaded, key) for key in (A, B)):
                return NOTHING
            return Change((put(loaded, mine, "taken"),))

        return decide

    for _ in range(30):
        await asyncio.gather(
            store.commits.execute(OWNER, [A, B], take(A)), other.commits.execute(OWNER, [A, B], take(B))
        )
        assert sorted(map(str, await read(store, A, B))) == ["None", "taken"]
        await store.commits.execute(
            OWNER,
            [A, B],
            lambda loaded: Change(tuple(Delete(key, each.version) for key, each in loaded.documents.items() if each)),
        )


async def test_a_document_made_again_is_not_the_one_that_was_read(store: Store) -> None:
    partition = store.engine.partition(OWNER)
    await store.commits.execute(OWNER, [A], lambda loaded: Change((put(loaded, A, 1),)))
    before = (await store.reader.read(partition, [A])).loaded.documents[A]
    assert before is not None
    await store.commits.execute(OWNER, [A], lambda _: Change((Delete(A, before.version),)))
    await store.commits.execute(OWNER, [A], lambda loaded: Change((put(loaded, A, 1),)))
    after = (await store.reader.read(partition, [A])).loaded.documents[A]
    assert after is not None and after.body == before.body and after.version > before.version


async def test_a_decision_may_ask_for_more_and_sees_all_of_one_moment(store: Store) -> None:
    await store.commits.execute(OWNER, [A], lambda loaded: Change((put(loaded, A, "acme/b"),)))

    def decide(loaded: Loaded) -> Change:
        pointed = DocumentKey("thing", value_of(loaded, A))
        if pointed not in loaded.documents:
            raise Needs(pointed)
        return Change((put(loaded, pointed, "found"),))

    await store.commits.execute(OWNER, [A], decide)
    assert await read(store, B) == ["found"]


async def test_a_key_answers_once_and_again_the_same_with_its_cursor(store: Store, other: Store) -> None:
    def decide(loaded: Loaded) -> Change:
        count = (value_of(loaded, A) or 0) + 1
        return Change((put(loaded, A, count),), (told(count),), answer=Answer(200, b"%d" % count, TEAM.id))

    outcomes = await asyncio.gather(
        *(each.commits.execute(OWNER, [A], decide, logs=(TEAM,), key=key_of()) for each in (store, other) * 5)
    )
    assert await read(store, A) == [1]
    assert sum(outcome.is_replayed for outcome in outcomes) == 9
    [frame] = await store.all(await store.channels.find(TEAM.id))
    assert {(each.answer.status, each.answer.body, each.answer.cursor) for each in outcomes if each.answer} == {
        (200, b"1", frame.id)
    }
    with pytest.raises(KeyReused):
        await store.commits.execute(OWNER, [A], decide, logs=(TEAM,), key=key_of(body=b"other"))


async def test_a_refusal_is_kept_for_its_key_and_nothing_is_decided_again(store: Store) -> None:
    def refuse(_: Loaded) -> Change:
        raise NotFound("not here")

    def never(_: Loaded) -> Change:
        raise AssertionError("decided again")

    with pytest.raises(NotFound):
        await store.commits.execute(
            OWNER, [A], refuse, key=key_of(), refuse=lambda refusal: Answer(404, refusal.message.encode())
        )
    outcome = await store.commits.execute(OWNER, [A], never, key=key_of())
    assert outcome.is_replayed and outcome.answer is not None
    assert (outcome.answer.status, outcome.answer.body) == (404, b"not here")


async def test_a_secret_is_sealed_and_gone_after_ten_minutes(store: Store) -> None:
    secret = Change(answer=Answer(201, b"my secret", is_secret=True))
    await store.commits.execute(OWNER, [A], lambda _: secret, key=key_of())
    again = await store.commits.execute(OWNER, [A], lambda _: secret, key=key_of())
    assert again.is_replayed and again.answer is not None and again.answer.body == b"my secret"
    [sealed] = [name for name in await store.keys() if name.endswith(":sealed")]
    raw = await store.engine.client.get(sealed)
    assert isinstance(raw, bytes) and b"secret" not in raw
    assert 599_000 < await store.engine.client.pttl(sealed) <= 600_000
    store.engine.clock_offset_ms += 600_001
    with pytest.raises(Conflict) as refused:
        await store.commits.execute(OWNER, [A], lambda _: secret, key=key_of())
    assert refused.value.extra == {"code": "idempotency_expired"}


async def test_a_key_is_forgotten_after_a_day(store: Store) -> None:
    change = Change(answer=Answer(200, b"x"))
    await store.commits.execute(OWNER, [A], lambda _: change, key=key_of())
    [row] = [name for name in await store.keys() if ":idempotency:" in name]
    assert 86_300_000 < await store.engine.client.pttl(row) <= 86_400_000
    store.engine.clock_offset_ms += 86_400_001
    assert not (await store.commits.execute(OWNER, [A], lambda _: change, key=key_of())).is_replayed


async def test_an_answer_without_events_shows_the_tail_that_was_read(store: Store) -> None:
    await store.commits.execute(OWNER, [], lambda _: Change(events=(told(1),)), logs=(TEAM,))
    [cursor] = ids_of(await store.all(await store.channels.find(TEAM.id)))
    answer = Change(answer=Answer(200, b"as before", TEAM.id))
    first = await store.commits.execute(OWNER, [A], lambda _: answer, logs=(TEAM,), key=key_of())
    again = await store.commits.execute(OWNER, [A], lambda _: answer, logs=(TEAM,), key=key_of())
    assert again.is_replayed
    for each in (first, again):
        assert each.answer is not None and each.answer.cursor is not None
        assert parse_ulid(each.answer.cursor) == cursor


async def test_a_changed_record_is_read_again_and_the_commit_succeeds(store: Store, other: Store) -> None:
    await store.channels.ensure(TEAM)
    await other.change(await other.channels.find(TEAM.id), config={"storage": {"retention_days": 30}})
    await store.commits.execute(OWNER, [], lambda _: Change(events=(told(1),)), logs=(TEAM,))
    assert data_of(await store.all(await store.channels.find(TEAM.id))) == [1]


async def test_a_reply_to_nothing_refuses_the_whole_change(store: Store) -> None:
    team = await store.channels.ensure(TEAM)
    nowhere = told(1)._replace(event=told(1).event._replace(reply_to=parse_ulid("01HZQX5K9V0000000000000000")))
    with pytest.raises(Invalid, match="reply_to of event 1 "):
        await store.commits.execute(
            OWNER, [A], lambda loaded: Change((put(loaded, A, 1),), (told(0), nowhere)), logs=(TEAM,)
        )
    assert await read(store, A) == [None] and await store.all(team) == []


async def test_five_hundred_operations_are_written_and_one_more_is_refused(store: Store) -> None:
    def decide(count: int) -> Any:
        puts = tuple(Put(DocumentKey("thing", f"acme/{i}"), 0, b"1", (Entry("things", i, str(i)),)) for i in range(250))
        return lambda _: Change(puts, tuple(told(i) for i in range(count)))

    with pytest.raises(TooLarge):
        await store.commits.execute(OWNER, [], decide(251), logs=(TEAM,))
    await store.commits.execute(OWNER, [], decide(250), logs=(TEAM,))
    assert len(await store.all(await store.channels.find(TEAM.id))) == 250


async def test_a_commit_is_one_script_call_and_all_of_its_keys_are_of_one_slot(store: Store) -> None:
    await store.commits.execute(OWNER, [A], lambda loaded: Change((put(loaded, A, 1),), (told(1),)), logs=(TEAM,))
    tag = f"{{p{store.engine.partition(OWNER):02d}}}:"
    assert all(name.startswith(tag) for name in await store.keys() if name != "tidemark:format")
