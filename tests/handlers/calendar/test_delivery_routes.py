"""`/v1/webhooks/:id/deliveries` and `/replay`: what is shown of deliveries, and making them again."""

import asyncio
from typing import Any

from aiohttp import web

from broker.ids import parse_ulid
from tests.handlers.calendar.calls import Org
from tests.handlers.calendar.hooks import heard, hook_of, later, quiet, refusing, subject, took, tried
from tests.receivers import Receiver, Request, receiving
from tidemark_client.ids import cursor_before

GOOD = {"url": "https://hooks.example.com/a", "events": ["event.created"]}


async def test_a_delivery_is_pending_from_when_it_is_read_and_has_its_payload(acme: Org) -> None:
    going = asyncio.Event()

    async def answer(_: Request) -> web.Response:
        await going.wait()
        return web.Response()

    async with receiving(answer) as receiver:
        hook = await hook_of(acme, receiver.url)
        event = await later(acme)
        await heard(receiver, 1)
        page = await hook.deliveries("status=pending&include_payload=true")
        going.set()
        [row] = page["data"]
        assert (row["status"], row["attempts"], row["last_attempt_at"]) == ("pending", 0, None)
        assert row["payload"] == {"event": event, "calendar_id": acme.calendar}
        assert row["subscription_id"] == hook.id and page["stats"] == {"pending": 1, "delivered": 0, "failed": 0}
        await hook.counted(pending=0, delivered=1)
        assert (await hook.deliveries("status=pending"))["total"] == 0
        [row] = (await hook.deliveries("status=delivered"))["data"]
        assert row["last_attempt_at"] is not None and "payload" not in row


async def test_deliveries_are_listed_newest_first_and_paged(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    for _ in range(5):
        await later(acme)
    whole = (await hook.counted(delivered=5))["data"]
    told = [each.headers["X-Delivery-Id"] for each in receiver.taken]
    assert [each["id"] for each in whole] == told[::-1]
    page = await hook.deliveries("limit=2&offset=1&status=delivered")
    assert [each["id"] for each in page["data"]] == [each["id"] for each in whole[1:3]]
    assert (page["total"], page["limit"], page["offset"]) == (5, 2, 1)
    past = await hook.deliveries("offset=9")
    assert (past["data"], past["total"], past["limit"]) == ([], 5, 20)


async def test_a_payload_whose_event_is_gone_is_null(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    first, _ = await later(acme), await later(acme)
    await hook.counted(delivered=2)
    log, channel = acme.server.broker.log, await acme.server.broker.channels.find("calendar-org-acme")
    gone = (await acme.told("calendar-org-acme"))[1]
    assert gone["data"]["subject"] == first["id"]
    await log.delete(channel, parse_ulid(gone["id"]), None, admin=True)
    kept, lost = (await hook.deliveries("include_payload=true"))["data"]
    assert kept["payload"] == receiver.taken[1].event and lost["payload"] is None


async def test_a_bad_filter_of_deliveries_is_refused(acme: Org) -> None:
    made = await acme.good("POST", "webhooks", GOOD)
    for query in ("status=PENDING", "status=", "include_payload=1", "include_payload=True"):
        await acme.refused("GET", f"webhooks/{made['id']}/deliveries?{query}", None, 400, "validation_error")


async def test_a_replay_from_nowhere_is_refused(acme: Org) -> None:
    made = await acme.good("POST", "webhooks", GOOD)
    bad: list[Any] = [{}, [], {"cursor": None}, {"cursor": 5}, {"cursor": "x"}, {"cursor": "é" * 26}]
    for body in bad:
        await acme.refused("POST", f"webhooks/{made['id']}/replay", body, 400, "validation_error")


async def test_a_retried_replay_delivers_once(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    await later(acme)
    await took(receiver, 1)
    start = {"cursor": "0" * 26}
    for _ in range(2):
        await acme.good("POST", f"webhooks/{hook.id}/replay", start, Idempotency_Key="r")
        await took(receiver, 2)
        await quiet()
    assert len(receiver.requests) == 2


async def test_a_replay_keeps_what_waits_and_starts_no_later_than_that(acme: Org) -> None:
    async with receiving(refusing(1)) as receiver:
        hook = await hook_of(acme, receiver.url)
        event = await later(acme, title="1")
        await tried(hook, 1)
        await later(acme, title="2")
        await took(receiver, 1)
        end = (await acme.told("calendar-org-acme"))[-1]["id"]
        await hook.replay(end)
        await took(receiver, 3)
        assert [each.event["event"]["title"] for each in receiver.taken] == ["2", "1", "2"]
        assert event["id"] == subject(receiver.taken[1])
        start = cursor_before((await acme.told("calendar-org-acme"))[0]["id"])
        assert (await hook.counted(pending=0))["stats"]["failed"] == 0
        await hook.replay(start)
        await took(receiver, 5)
