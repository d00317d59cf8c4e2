"""Answers kept with the step that they answer for: by a script, all or nothing."""

import pytest

from broker.change import Answer
from broker.channels import NewChannel
from broker.errors import Conflict, KeyReused
from broker.idempotency import IdempotencyKey, make_key
from broker.storage.answers import Answers
from broker.storage.scripts import CREATE_CHANNEL, Answered
from tests.stores import KEPT, SEALER, Store

ANSWER = Answer(201, b"made")
NEWS = NewChannel("news", "News")


def key_of(text: str = "k", body: bytes = b"") -> IdempotencyKey:
    key = make_key(text, 99, principal="p", method="POST", path="/x", body=body)
    assert key is not None
    return key


def answers_of(store: Store) -> Answers:
    return Answers(store.engine, store.reader, SEALER, KEPT)


async def test_an_answer_is_kept_where_the_script_succeeds_only(store: Store) -> None:
    answers, partition = answers_of(store), store.channels.partition("news")
    await store.channels.create(NEWS)
    with pytest.raises(Conflict):
        await store.channels.create(NEWS, answers.keep(partition, key_of(), ANSWER))
    assert await answers.find(partition, key_of()) is None
    await store.channels.delete("news", answers.keep(partition, key_of(), ANSWER))
    kept = await answers.find(partition, key_of())
    assert kept is not None and (kept.status, kept.body) == (201, b"made")


async def test_what_was_answered_is_not_done_again(store: Store) -> None:
    answers, partition = answers_of(store), store.channels.partition("news")
    await store.channels.create(NEWS, answers.keep(partition, key_of(), ANSWER))
    await store.channels.delete("news")
    with pytest.raises(Answered):
        await store.channels.create(NEWS, answers.keep(partition, key_of(), ANSWER))
    assert await store.channels.count() == 0
    with pytest.raises(Answered):
        await answers.put(partition, key_of(), ANSWER)


async def test_a_key_is_bound_to_its_body_wherever_its_answer_lies(store: Store, other: Store) -> None:
    await answers_of(store).claim(key_of())
    await answers_of(other).claim(key_of())
    with pytest.raises(KeyReused):
        await answers_of(other).claim(key_of(body=b"other"))
    await answers_of(other).claim(key_of("another", b"other"))
    claims = [name for name in await store.keys() if ":claim:" in name]
    assert len(claims) == 2 and 86_300_000 < await store.engine.client.pttl(claims[0]) <= 86_400_000


async def test_the_times_of_a_script_count_its_calls_with_a_key_too(store: Store) -> None:
    before = sum(CREATE_CHANNEL.times.counts)
    await store.channels.create(NEWS, answers_of(store).keep(store.channels.partition("news"), key_of(), ANSWER))
    assert sum(CREATE_CHANNEL.times.counts) == before + 1
