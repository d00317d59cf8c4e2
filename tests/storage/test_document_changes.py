"""Small documents: versions, turns, and refusals that write nothing."""

import asyncio
from typing import Any

import pytest

from broker.errors import Conflict
from broker.storage.documents import Documents
from broker.storage.engine import Engine


def appended(value: Any) -> Any:
    return lambda known: [*(known or []), value]


async def test_a_change_answers_what_it_wrote_and_its_version(engine: Engine) -> None:
    documents = Documents(engine)
    assert await documents.load("x") == (None, 0)
    assert await documents.change("x", appended(1)) == ([1], 1)
    assert await documents.change("x", appended(2)) == ([1, 2], 2)
    assert await documents.load("x") == ([1, 2], 2)
    assert await documents.version("x") == 2


async def test_many_changes_at_once_are_all_made_each_on_what_the_one_before_it_wrote(engine: Engine) -> None:
    documents = Documents(engine)
    written = await asyncio.gather(*(documents.change("x", appended(number)) for number in range(50)))
    assert sorted(version for _, version in written) == list(range(1, 51))
    assert all(len(document) == version for document, version in written)
    assert sorted((await documents.load("x"))[0]) == list(range(50))


async def test_two_processes_that_change_at_once_lose_nothing(engine: Engine) -> None:
    both = (Documents(engine), Documents(engine))
    await asyncio.gather(*(both[number % 2].change("x", appended(number)) for number in range(8)))
    assert sorted((await both[0].load("x"))[0]) == list(range(8))


async def test_a_refused_change_writes_nothing_and_lets_the_next_one_in(engine: Engine) -> None:
    documents = Documents(engine)
    await documents.change("x", appended(1))

    def refuse(_: Any) -> Any:
        raise Conflict("no")

    with pytest.raises(Conflict):
        await documents.change("x", refuse)
    assert await documents.change("x", appended(2)) == ([1, 2], 2)


async def test_a_change_that_is_given_up_while_it_waits_does_not_hold_up_the_others(engine: Engine) -> None:
    documents = Documents(engine)
    tasks = [asyncio.create_task(documents.change("x", appended(number))) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks[1::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(range(0, 20, 2)) <= set((await documents.load("x"))[0])
    assert (await documents.change("x", appended("last")))[0][-1] == "last"
