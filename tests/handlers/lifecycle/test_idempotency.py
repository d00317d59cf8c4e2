"""Idempotency-Key on the calls of the lifecycle API: the first answer again, whoever asks it of whichever process."""

import asyncio

import pytest

from tests.broker_server import BrokerServer
from tests.handlers.lifecycle.calls import ID, OTHER, Caller, caller_of, plan, query


async def test_a_create_without_an_id_is_done_once(acme: Caller) -> None:
    body = {"arguments": [plan(None)]}
    first = await acme.ask("Create", body, Idempotency_Key="k")
    again = await acme.ask("Create", body, Idempotency_Key="k")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    for name in ("Tidemark-Channel", "Tidemark-Cursor", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert len(await acme.told()) == 1


async def test_the_first_answer_is_given_again_though_the_event_has_moved_on(acme: Caller) -> None:
    await acme.create(ID)
    first = await acme.ask("Start", query(ID), Idempotency_Key="k")
    await acme.good("Finish", query(ID))
    assert (await acme.ask("Start", query(ID), Idempotency_Key="k")).content == first.content
    await acme.refused("Start", query(ID), 409, "failed_precondition")


async def test_a_repeat_that_does_nothing_keeps_its_answer_too(acme: Caller) -> None:
    await acme.create(ID)
    await acme.good("Start", query(ID))
    first = await acme.ask("Start", query(ID), Idempotency_Key="k")
    await acme.good("Cancel", query(ID))
    again = await acme.ask("Start", query(ID), Idempotency_Key="k")
    assert again.content == first.content and again.headers["Tidemark-Cursor"] == first.headers["Tidemark-Cursor"]


async def test_a_refusal_is_kept_with_the_error_body_of_this_api(acme: Caller) -> None:
    refused = await acme.refused("Start", query(ID), 404, "not_found", Idempotency_Key="k")
    await acme.create(ID)
    assert await acme.refused("Start", query(ID), 404, "not_found", Idempotency_Key="k") == refused
    await acme.good("Start", query(ID), Idempotency_Key="another")


async def test_the_same_key_with_another_body_is_409_and_does_nothing(acme: Caller) -> None:
    await acme.create(ID, OTHER)
    await acme.good("Start", query(ID), Idempotency_Key="k")
    await acme.refused("Start", query(OTHER), 409, "already_exists", Idempotency_Key="k")
    assert (await acme.good("Select", query(OTHER)))[0]["status"] == "StatusPending"


async def test_a_key_counts_for_its_call_and_its_caller(acme: Caller, broker_server: BrokerServer) -> None:
    await acme.create(ID)
    await acme.good("Start", query(ID), Idempotency_Key="k")
    assert (await acme.good("Cancel", query(ID), Idempotency_Key="k"))[0]["status"] == "StatusCanceled"
    colleague = await caller_of(broker_server, "acme")
    await colleague.refused("Start", query(ID), 409, "failed_precondition", Idempotency_Key="k")


@pytest.mark.parametrize("key", ["", "x" * 129])
async def test_a_bad_key_is_refused(acme: Caller, key: str) -> None:
    await acme.refused("Create", {"arguments": [plan()]}, 400, "invalid_argument", Idempotency_Key=key)
    assert await acme.told() == []


async def test_two_processes_that_are_asked_at_once_do_it_once(acme: Caller, second: Caller) -> None:
    body = {"arguments": [plan(None), plan(None)]}
    callers = (acme, second) * 4
    answers = await asyncio.gather(*(each.ask("Create", body, Idempotency_Key="k") for each in callers))
    assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}
    assert sum("Idempotency-Replayed" not in each.headers for each in answers) == 1
    assert len(await acme.told()) == 2


async def test_a_key_ends_after_24_hours(acme: Caller, second: Caller) -> None:
    body = {"arguments": [plan(None)]}
    [first] = await acme.good("Create", body, Idempotency_Key="k")
    for caller in (acme, second):
        caller.server.broker.engine.clock_offset_ms += 86_400_000 + 1
    [later] = await second.good("Create", body, Idempotency_Key="k")
    assert later["id"] != first["id"]
