"""What an organisation's webhooks are sent: each change, with its own payload, signed, once asked for."""

import json

import pytest

from handlers.calendar.events import VENDOR_NAMES
from tests.handlers.calendar.calls import HOUR_MS, Org
from tests.handlers.calendar.hooks import (
    ALL,
    MINUTE_MS,
    hook_of,
    later,
    names,
    quiet,
    refusing,
    subject,
    took,
    tried,
    verify,
)
from tests.receivers import Receiver, receiving


async def test_each_change_is_told_by_the_vendors_name_with_its_own_payload(acme: Org, receiver: Receiver) -> None:
    await hook_of(acme, receiver.url)
    event = await later(acme, title="Sync", metadata={"big": 2**70, "é": "ü\u2028"})
    changed = await acme.patch(event["id"], title="Other")
    await acme.ask("DELETE", f"calendars/{acme.calendar}/events/{event['id']}")
    hold = await acme.hold()
    await acme.good("PUT", f"events/{hold['id']}/release")
    agent = await acme.make_agent()
    assert await took(receiver, 6) == [
        "event.created",
        "event.updated",
        "event.deleted",
        "event.hold_created",
        "event.hold_released",
        "agent.created",
    ]
    bodies = [json.loads(each.body) for each in receiver.taken]
    of = {"calendar_id": acme.calendar}
    assert bodies[0] == {"event": event, **of} and event["metadata"]["big"] == 2**70
    assert bodies[1] == {"event": changed, **of} and changed["title"] == "Other"
    assert bodies[2] == {"event_id": event["id"], **of}
    times = {name: hold[name] for name in ("title", "start_time", "end_time")}
    assert bodies[3] == {"event_id": hold["id"], **of, **times}
    assert bodies[4] == {"event_id": hold["id"], **of} and bodies[5] == {"agent": agent}


async def test_what_comes_by_the_clock_is_told_too(acme: Org, receiver: Receiver) -> None:
    await hook_of(acme, receiver.url)
    event, hold = await acme.make(HOUR_MS, reminders=[15]), await acme.hold()
    await acme.advance(MINUTE_MS)
    assert (await took(receiver, 3))[2] == "event.hold_expired"
    assert receiver.taken[2].event == {"event_id": hold["id"], "calendar_id": acme.calendar, "reason": "expired"}
    await acme.advance(2 * HOUR_MS)
    assert (await took(receiver, 5))[3:] == ["event.started", "event.ended"]
    reminded = await acme.make(HOUR_MS, reminders=[15])
    await acme.advance(HOUR_MS - 10 * MINUTE_MS)
    await took(receiver, 7)
    assert names(receiver.taken)[6] == "event.reminder" and subject(receiver.taken[3]) == event["id"]
    assert receiver.taken[6].event["reminder_minutes"] == 15 and subject(receiver.taken[6]) == reminded["id"]


async def test_a_filter_lets_only_its_names_through(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url, "event.deleted", "proposal.created", "event.deleted")
    none = await hook_of(acme, receiver.url, "proposal.created", "agent.updated")
    event = await later(acme)
    await acme.ask("DELETE", f"calendars/{acme.calendar}/events/{event['id']}")
    assert await took(receiver, 1) == ["event.deleted"]
    assert (await hook.shown())["events"] == ["event.deleted", "proposal.created"]
    await hook.counted(delivered=1)
    assert (await none.deliveries())["total"] == 0 and len(receiver.requests) == 1


async def test_what_happened_before_a_webhook_was_made_is_not_told(acme: Org, receiver: Receiver) -> None:
    await later(acme)
    await hook_of(acme, receiver.url)
    after = await later(acme)
    await took(receiver, 1)
    await quiet()
    assert [subject(each) for each in receiver.requests] == [after["id"]]


async def test_an_organisation_is_not_told_of_anothers(acme: Org, rival: Org, receiver: Receiver) -> None:
    await hook_of(acme, receiver.url)
    await rival.make()
    own = await later(acme)
    await took(receiver, 1)
    assert [subject(each) for each in receiver.requests] == [own["id"]]


async def test_an_attempt_is_signed_anew_over_the_same_body_under_the_same_id(acme: Org) -> None:
    async with receiving(refusing(1, 2)) as receiver:
        hook = await hook_of(acme, receiver.url)
        await later(acme)
        await tried(hook, 1)
        await acme.advance(2 * MINUTE_MS)
        await tried(hook, 2)
        await acme.advance(10 * MINUTE_MS)
        await took(receiver, 1)
        seconds = [verify(each, hook.secret) for each in receiver.requests]
        assert seconds[1] - seconds[0] >= 60 and seconds[2] - seconds[1] >= 300
        assert len({each.body for each in receiver.requests}) == 1
        [delivery] = (await hook.counted(delivered=1))["data"]
        assert {each.headers["X-Delivery-Id"] for each in receiver.requests} == {delivery["id"]}
        assert {each.headers["Content-Type"] for each in receiver.requests} == {"application/json"}


async def test_two_webhooks_have_ids_and_signatures_of_their_own(acme: Org, receiver: Receiver) -> None:
    first, second = await hook_of(acme, receiver.url), await hook_of(acme, receiver.url)
    await later(acme)
    await took(receiver, 2)
    assert len({each.headers["X-Delivery-Id"] for each in receiver.taken}) == 2
    assert first.secret != second.secret
    assert len({each.headers["X-Signature"] for each in receiver.taken}) == 2


async def test_a_payload_is_what_was_when_it_happened(acme: Org) -> None:
    async with receiving(refusing(1)) as receiver:
        hook = await hook_of(acme, receiver.url, "event.created")
        event = await later(acme, title="before")
        await tried(hook, 1)
        await acme.patch(event["id"], title="after")
        await acme.ask("DELETE", f"calendars/{acme.calendar}/events/{event['id']}")
        await acme.advance(2 * MINUTE_MS)
        await took(receiver, 1)
        assert receiver.taken[0].event["event"]["title"] == "before"


@pytest.mark.parametrize("name", sorted(set(VENDOR_NAMES.values())))
def test_all_that_is_told_may_be_asked_for(name: str) -> None:
    assert name in ALL
