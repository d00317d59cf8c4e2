"""Idempotency-Key on the writes of cuey: done once, answered alike."""

import asyncio

import pytest

from tests.handlers.cuey.calls import HOUR_MS, Team


async def test_a_create_is_done_once(acme: Team) -> None:
    body = await acme.asked()
    answers = await asyncio.gather(*(acme.ask("POST", "events", body, Idempotency_Key="k") for _ in range(4)))
    assert {each.content for each in answers} == {answers[0].content}
    assert sum("Idempotency-Replayed" in each.headers for each in answers) == 3
    assert len(await acme.listed()) == 1


async def test_a_cron_is_made_once(acme: Team) -> None:
    body = {"webhook_url": acme.url, "cron_expression": "* * * * *"}
    first, again = [await acme.ask("POST", "crons", body, Idempotency_Key="k") for _ in range(2)]
    assert (again.status_code, again.content) == (201, first.content)
    assert len(await acme.listed()) == 20


@pytest.mark.parametrize("kind", ["events", "crons"])
async def test_a_delete_is_answered_again_though_it_is_gone(acme: Team, kind: str) -> None:
    made = await (acme.schedule() if kind == "events" else acme.repeat())
    path = f"{kind}/{made['id']}"
    for _ in range(2):
        assert await acme.good("DELETE", path, Idempotency_Key="k") == {"success": True}
    await acme.refused("DELETE", path, None, 404, "NOT_FOUND")


@pytest.mark.parametrize("kind", ["events", "crons"])
async def test_a_put_is_answered_again_though_it_has_changed_since(acme: Team, kind: str) -> None:
    made = await (acme.schedule() if kind == "events" else acme.repeat())
    body = (
        (await acme.asked(2 * HOUR_MS))
        if kind == "events"
        else {"webhook_url": acme.url, "cron_expression": "* * * * *"}
    )
    first = await acme.ask("PUT", f"{kind}/{made['id']}", body, Idempotency_Key="k")
    await acme.good("DELETE", f"{kind}/{made['id']}")
    assert (await acme.ask("PUT", f"{kind}/{made['id']}", body, Idempotency_Key="k")).content == first.content


async def test_a_key_with_another_body_is_400_here(acme: Team) -> None:
    await acme.ask("POST", "events", await acme.asked(), Idempotency_Key="k")
    await acme.refused("POST", "events", await acme.asked(2 * HOUR_MS), 400, "BAD_REQUEST", Idempotency_Key="k")
    assert len(await acme.listed()) == 1
