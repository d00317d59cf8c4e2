"""The organisation's webhooks, from a call to real receivers and back: what is sent, in which order, how long."""

import asyncio
import itertools
import json
import random

import pytest
from aiohttp import web

from handlers.calendar.events import VENDOR_NAMES
from tests.handlers.calendar.calls import HOUR_MS, Org, until
from tests.handlers.calendar.hooks import (
    ALL,
    DAY_MS,
    MINUTE_MS,
    answering,
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
from tests.receivers import Receiver, Request, receiving, status


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


async def test_hold_expired_reaches_a_failing_receiver_before_the_hold_created_of_its_conqueror(acme: Org) -> None:
    async with receiving(refusing(2)) as receiver:
        hook = await hook_of(acme, receiver.url)
        old = await acme.hold(1)
        await took(receiver, 1)
        new = await acme.hold(2)
        await tried(hook, 2)
        other = await later(acme, title="another subject")
        # What is about neither of the two is not held up.
        assert await took(receiver, 2) == ["event.hold_created", "event.created"]
        await acme.good("PUT", f"events/{new['id']}/confirm")
        await acme.advance(2 * MINUTE_MS)
        assert (await took(receiver, 5))[2:] == ["event.hold_expired", "event.hold_created", "event.hold_confirmed"]
        told = [subject(each) for each in receiver.taken]
        assert told == [old["id"], other["id"], old["id"], new["id"], new["id"]]
        assert receiver.taken[2].event["reason"] == "preempted"


async def test_a_receiver_that_fails_at_random_gets_each_event_in_order_and_every_bump_before_its_conqueror(
    acme: Org,
) -> None:
    luck = random.Random(11)

    async def answer(_: Request) -> web.Response:
        return web.Response(status=200 if luck.random() < 0.6 else 503)

    async with receiving(answer) as receiver:
        hook = await hook_of(acme, receiver.url)
        holds = [await acme.hold(priority, ttl_ms=15 * MINUTE_MS) for priority in range(12)]
        events = [await later(acme) for _ in range(6)]
        for event in events:
            await acme.patch(event["id"], title="other")
        told = 12 + 11 + 6 + 6
        for _ in range(40):
            await quiet()
            stats = (await hook.deliveries())["stats"]
            if stats["delivered"] + stats["failed"] == told:
                break
            await acme.advance(2 * MINUTE_MS if stats["pending"] else 1)
            receiver.answer = answer if luck.random() < 0.5 else status(200)
        await hook.counted(pending=0)
        taken = [(subject(each), name) for each, name in zip(receiver.taken, names(receiver.taken), strict=True)]
        assert len(taken) == len(set(taken))
        places = {each: place for place, each in enumerate(taken)}
        for old, new in itertools.pairwise(holds):
            pair = (old["id"], "event.hold_expired"), (new["id"], "event.hold_created")
            if all(each in places for each in pair):
                assert places[pair[0]] < places[pair[1]]
        for event in events:
            own = [name for about, name in taken if about == event["id"]]
            assert own == [each for each in ("event.created", "event.updated") if each in own]


async def test_a_receiver_is_called_for_one_delivery_at_a_time(acme: Org) -> None:
    open_now = most = 0

    async def answer(_: Request) -> web.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        open_now -= 1
        return web.Response()

    async with receiving(answer) as receiver:
        await hook_of(acme, receiver.url)
        await asyncio.gather(*(later(acme) for _ in range(8)))
        await took(receiver, 8)
        assert most == 1


async def test_after_four_attempts_a_delivery_has_failed_and_the_next_event_is_sent(acme: Org) -> None:
    async with receiving(refusing(1, 2, 3, 4)) as receiver:
        hook = await hook_of(acme, receiver.url)
        event = await later(acme)
        await acme.patch(event["id"], title="next")
        for attempt, minutes in enumerate((2, 10, 60), 1):
            await tried(hook, attempt)
            pending = await hook.deliveries("status=pending")
            assert pending["total"] == 2 and pending["data"][1]["next_retry_at"] is not None
            await acme.advance(minutes * MINUTE_MS)
        assert await took(receiver, 1) == ["event.updated"]
        page = await hook.counted(pending=0, delivered=1, failed=1)
        shown = [(each["event_type"], each["status"], each["attempts"]) for each in page["data"]]
        assert shown == [("event.updated", "delivered", 1), ("event.created", "failed", 4)]
        assert page["data"][1]["next_retry_at"] is None and page["data"][1]["response_status"] == 500
        assert (await hook.shown())["consecutive_failures"] == 0


async def test_while_inactive_nothing_is_sent_and_activation_starts_at_the_tail(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    await later(acme, title="1")
    await hook.counted(delivered=1)
    assert (await hook.patch(active=False))["active"] is False
    skipped = [await later(acme, title=str(each)) for each in (2, 3)]
    await quiet()
    assert len(receiver.requests) == 1
    assert (await hook.patch(active=True))["active"] is True
    await later(acme, title="4")
    await hook.counted(delivered=2)
    assert [each.event["event"]["title"] for each in receiver.taken] == ["1", "4"]
    shown = await hook.shown()
    [gap] = shown["gaps"]
    assert gap["after"] < gap["until"] < shown["cursor"]
    await hook.replay(gap["after"])
    await took(receiver, 5)
    assert [each.event["event"]["title"] for each in receiver.taken] == ["1", "4", "2", "3", "4"]
    ids = [each.headers["X-Delivery-Id"] for each in receiver.taken]
    assert ids[1] == ids[4] and len(set(ids)) == 4
    page = await hook.counted(pending=0, delivered=5)
    assert page["total"] == 4 and {subject(each) for each in receiver.taken[2:4]} == {each["id"] for each in skipped}


async def test_what_waits_of_a_webhook_that_is_switched_off_is_given_up_and_not_sent_later(acme: Org) -> None:
    async with receiving(answering({1})) as receiver:
        hook = await hook_of(acme, receiver.url)
        event = await later(acme, title="1")
        await tried(hook, 1)
        await acme.patch(event["id"], title="2")
        await hook.counted(pending=2)
        await hook.patch(active=False)
        page = await hook.counted(pending=0, failed=2)
        assert {each["status"] for each in page["data"]} == {"failed"}
        assert (await hook.patch(active=True))["consecutive_failures"] == 0
        await acme.advance(HOUR_MS)
        await acme.patch(event["id"], title="3")
        await took(receiver, 1)
        assert [each.event["event"]["title"] for each in receiver.taken] == ["3"]
        [gap] = (await hook.until_shown(active=True))["gaps"]
        await hook.replay(gap["after"])
        await took(receiver, 4)
        assert [each.event["event"]["title"] for each in receiver.taken] == ["3", "1", "2", "3"]


async def test_switching_on_what_is_on_skips_nothing(acme: Org) -> None:
    async with receiving(refusing(1)) as receiver:
        hook = await hook_of(acme, receiver.url)
        await later(acme)
        await tried(hook, 1)
        await hook.patch(active=True)
        await acme.advance(2 * MINUTE_MS)
        await took(receiver, 1)
        assert (await hook.shown())["gaps"] == []


async def test_a_new_url_and_filter_count_for_the_next_attempt(acme: Org, receiver: Receiver) -> None:
    async with receiving(status(500)) as old:
        hook = await hook_of(acme, old.url)
        event = await later(acme)
        await tried(hook, 1)
        changed = await hook.patch(url=receiver.url, events=["event.created", "event.deleted"])
        assert (changed["url"], changed["events"]) == (receiver.url, ["event.created", "event.deleted"])
        await acme.patch(event["id"], title="x")
        await acme.advance(2 * MINUTE_MS)
        assert await took(receiver, 1) == ["event.created"]
        await quiet()
        assert len(old.requests) == 1 and len(receiver.requests) == 1


async def test_a_removed_webhook_gets_nothing_more_and_leaves_no_progress(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    await later(acme)
    await hook.counted(delivered=1)
    answer = await acme.ask("DELETE", f"webhooks/{hook.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    await later(acme)
    await acme.refused("GET", f"webhooks/{hook.id}", None, 404, "not_found")
    client = acme.server.broker.engine.client

    async def is_gone() -> bool:
        return not [name async for name in client.scan_iter(match=f"*state:webhook:*{hook.id}")]

    await until(is_gone)
    assert len(receiver.requests) == 1


async def test_twenty_deliveries_given_up_in_a_row_end_it_and_the_others_are_told(
    acme: Org, receiver: Receiver
) -> None:
    other = await hook_of(acme, receiver.url, "webhook.deactivated")
    async with receiving(status(500)) as failing:
        hook = await hook_of(acme, failing.url, "event.created", "webhook.deactivated")
        for _ in range(22):
            await later(acme)
        for attempt, minutes in enumerate((2, 10, 60), 1):
            await tried(hook, 22 * attempt)
            await acme.advance(minutes * MINUTE_MS)
        shown = await hook.until_shown(active=False)
        assert shown["consecutive_failures"] == 20 and shown["first_failure_at"] is not None
        assert await took(receiver, 1) == ["webhook.deactivated"]
        assert receiver.taken[0].event == {
            "webhook_id": hook.id,
            "url": failing.url,
            "reason": "consecutive_failures",
        }
        assert (await hook.counted(pending=0))["stats"] == {"pending": 0, "delivered": 0, "failed": 22}
        assert len(failing.requests) == 3 * 22 + 20
        await acme.refused(
            "POST", f"webhooks/{hook.id}/replay", {"cursor": shown["cursor"]}, 409, "conflict", "webhook_inactive"
        )
        await later(acme)
        failing.answer = status(200)
        await acme.advance(DAY_MS)
        assert len(failing.requests) == 3 * 22 + 20
        again = await hook.patch(active=True)
        assert (again["active"], again["consecutive_failures"], again["first_failure_at"]) == (True, 0, None)
        last = await later(acme)
        await failing.until(lambda one: len(one.taken) == 1, 60)
        assert subject(failing.taken[0]) == last["id"]
        assert (await other.deliveries())["stats"]["delivered"] == 1


async def test_a_day_of_failure_ends_it_and_one_success_begins_the_day_anew(acme: Org) -> None:
    async with receiving(status(500)) as receiver:
        hook = await hook_of(acme, receiver.url)
        await later(acme)
        await tried(hook, 1)
        first = (await hook.shown())["first_failure_at"]
        receiver.answer = status(200)
        await acme.advance(2 * MINUTE_MS)
        await hook.counted(delivered=1)
        assert first is not None and (await hook.shown())["first_failure_at"] is None
        receiver.answer = status(500)
        await later(acme)
        await tried(hook, 3)
        await acme.advance(DAY_MS - HOUR_MS)
        await tried(hook, 4)
        assert (await hook.shown())["active"] is True
        await acme.advance(HOUR_MS)
        await hook.until_shown(active=False, consecutive_failures=0)
        assert (await acme.told("calendar-org-acme"))[-1]["data"]["payload"]["reason"] == "failing_too_long"


@pytest.mark.parametrize("name", sorted(set(VENDOR_NAMES.values())))
def test_all_that_is_told_may_be_asked_for(name: str) -> None:
    assert name in ALL
