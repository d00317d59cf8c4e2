"""Calls that meet, from two processes on a real engine: decided once, told once, one after another."""

import asyncio
from typing import Any

import httpx2

from tests.handlers.lifecycle.calls import ID, Caller, fresh, plan, query

ROUNDS = 15


async def race(*calls: tuple[Caller, str, Any]) -> list[httpx2.Response]:
    return await asyncio.gather(*(caller.ask(call, body) for caller, call, body in calls))


def statuses(answers: list[httpx2.Response]) -> list[int]:
    return sorted(each.status_code for each in answers)


async def words_told(caller: Caller, event_id: str) -> list[str]:
    return [each["type"].rpartition(".")[2] for each in await caller.told() if each["data"]["subject"] == event_id]


async def test_two_starts_at_once_are_one_transition_and_both_succeed(acme: Caller, second: Caller) -> None:
    for event_id in fresh(ROUNDS):
        await acme.create(event_id)
        answers = await race(*((each, "Start", query(event_id)) for each in (acme, second) * 3))
        assert statuses(answers) == [200] * 6
        assert len({each.json()["events"][0]["start_time"] for each in answers}) == 1
        assert await words_told(acme, event_id) == ["created", "started"]


async def test_finish_against_cancel_has_one_winner(acme: Caller, second: Caller) -> None:
    for event_id in fresh(ROUNDS):
        await acme.create(event_id)
        await acme.good("Start", query(event_id))
        answers = await race((acme, "Finish", query(event_id)), (second, "Cancel", query(event_id)))
        assert statuses(answers) == [200, 409]
        [lost] = [each for each in answers if each.status_code == 409]
        assert lost.json()["code"] == "failed_precondition"
        [event] = await acme.good("Select", query(event_id))
        assert (event["finish_time"] > 0) is not (event["cancel_time"] > 0)
        assert len(await words_told(acme, event_id)) == 3


async def test_cancel_against_start_is_never_started_after_canceled(acme: Caller, second: Caller) -> None:
    for event_id in fresh(ROUNDS):
        await acme.create(event_id)
        start, cancel = await race((acme, "Start", query(event_id)), (second, "Cancel", query(event_id)))
        assert cancel.status_code == 200
        [event] = await acme.good("Select", query(event_id))
        assert event["status"] == "StatusCanceled"
        assert (event["start_time"] > 0) is (start.status_code == 200)
        expected = ["created", "started", "canceled"] if start.status_code == 200 else ["created", "canceled"]
        assert await words_told(acme, event_id) == expected


async def test_two_creates_with_one_id_at_once_are_one_event_and_equal_answers(acme: Caller, second: Caller) -> None:
    for event_id in fresh(ROUNDS):
        body = {"arguments": [plan(event_id)]}
        answers = await race(*((each, "Create", body) for each in (acme, second) * 3))
        assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}
        assert await words_told(acme, event_id) == ["created"]


async def test_two_creates_with_one_id_and_other_content_have_one_winner(acme: Caller, second: Caller) -> None:
    for event_id in fresh(ROUNDS):
        ours, theirs = ({"arguments": [plan(event_id, metadata={"by": by})]} for by in ("ours", "theirs"))
        answers = await race((acme, "Create", ours), (second, "Create", theirs))
        assert statuses(answers) == [200, 409]
        [won] = [each.json()["events"] for each in answers if each.status_code == 200]
        assert await acme.good("Select", query(event_id)) == won


async def test_overlapping_batches_in_opposite_order_neither_wait_for_each_other_nor_come_apart(
    acme: Caller, second: Caller
) -> None:
    for _ in range(5):
        ids = fresh(12)
        await acme.create(*ids)
        await acme.good("Start", query(*ids))
        answers = await race((acme, "Finish", query(*ids[:8])), (second, "Cancel", query(*reversed(ids[4:]))))
        assert statuses(answers) == [200, 409]
        status = {each["id"]: each["status"] for each in await acme.good("Select", query(*ids))}
        if answers[0].status_code == 200:
            assert status == {**dict.fromkeys(ids, "StatusStarted"), **dict.fromkeys(ids[:8], "StatusFinished")}
        else:
            assert status == {**dict.fromkeys(ids, "StatusStarted"), **dict.fromkeys(ids[4:], "StatusCanceled")}


async def test_a_reader_from_the_cursor_of_a_select_sees_exactly_what_came_after_it(
    acme: Caller, second: Caller
) -> None:
    """Read the state, follow from that cursor, miss nothing: while somebody else moves what is read."""
    ids = fresh(30)
    await acme.create(*ids)
    moving = asyncio.create_task(_start_one_by_one(second, ids))
    reads = []
    while not moving.done():
        reads.append(await acme.ask("Select", query(*ids)))
    await moving
    told = [each for each in await acme.told() if each["type"] == "lifecycle.event.started"]
    assert len(told) == len(ids) and len(reads) > 3
    for answer in reads:
        started = {each["id"] for each in answer.json()["events"] if each["status"] == "StatusStarted"}
        after = {each["data"]["subject"] for each in told if each["id"] > answer.headers["Tidemark-Cursor"]}
        assert started | after == set(ids) and not started & after


async def _start_one_by_one(caller: Caller, ids: list[str]) -> None:
    for event_id in ids:
        await caller.good("Start", query(event_id))


async def test_a_batch_that_another_process_undercut_is_decided_again(acme: Caller, second: Caller) -> None:
    """One that read all as pending, and finds one canceled when it writes, refuses all."""
    ids = fresh(3)
    await acme.create(*ids)
    reader = acme.server.broker.reader
    original, done = reader.read, asyncio.Event()

    async def read_then_be_late(*args: Any, **more: Any) -> Any:
        found = await original(*args, **more)
        if not done.is_set():
            done.set()
            await second.good("Cancel", query(ids[1]))
        return found

    reader.read = read_then_be_late  # type: ignore[method-assign]
    error = await acme.refused("Start", query(*ids), 409, "failed_precondition")
    reader.read = original  # type: ignore[method-assign]
    assert [each["id"] for each in error["details"]] == [ids[1]]
    assert [each["status"] for each in await acme.good("Select", query(*ids))] == [
        "StatusPending",
        "StatusCanceled",
        "StatusPending",
    ]


async def test_a_first_call_from_two_processes_makes_one_channel(acme: Caller, second: Caller) -> None:
    answers = await race((acme, "Create", {"arguments": [plan()]}), (second, "Select", query(ID)))
    assert answers[0].status_code == 200 and answers[1].status_code in (200, 404)
    assert await words_told(second, ID) == ["created"]
