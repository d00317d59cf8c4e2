"""Slugs are one event's at a time, whoever dies while claiming one."""

import asyncio

import pytest

from broker.errors import Conflict
from handlers.live import slugs
from tests.handlers.live.calls import Organiser


async def test_a_claim_holds_until_it_is_released(acme: Organiser) -> None:
    broker = acme.server.broker
    assert await slugs.claim(broker, "launch", "acme", "e1", None) == "e1"
    with pytest.raises(Conflict):
        await slugs.claim(broker, "launch", "rival", "e2", None)
    found = await slugs.find(broker, "launch")
    assert found is not None and (found.tenant, found.event_id) == ("acme", "e1")
    await slugs.release(broker, "launch", "another")
    assert await slugs.find(broker, "launch") == found
    await slugs.release(broker, "launch", "e1")
    assert await slugs.find(broker, "launch") is None


async def test_the_repeat_of_a_call_goes_on_with_its_claim(acme: Organiser) -> None:
    broker = acme.server.broker
    assert await slugs.claim(broker, "launch", "acme", "e1", "key") == "e1"
    assert await slugs.claim(broker, "launch", "acme", "e2", "key") == "e1"
    with pytest.raises(Conflict):
        await slugs.claim(broker, "launch", "rival", "e3", "key")


async def test_the_claim_of_one_who_died_lapses_and_its_event_can_no_longer_be_made(acme: Organiser) -> None:
    broker = acme.server.broker
    await slugs.claim(broker, "launch", "rival", "e1", None)
    await acme.advance(slugs.LEASE_MS)
    answers = await asyncio.gather(*(acme.ask("POST", "events", {"name": "x", "slug": "launch"}) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    found = await slugs.find(broker, "launch")
    assert found is not None and found.tenant == "acme"


async def test_an_event_that_was_made_keeps_its_slug_for_good(acme: Organiser, rival: Organiser) -> None:
    await acme.create(slug="launch")
    await acme.advance(10 * slugs.LEASE_MS)
    await rival.refused("POST", "events", {"name": "x", "slug": "launch"}, 409, "SLUG_TAKEN")
