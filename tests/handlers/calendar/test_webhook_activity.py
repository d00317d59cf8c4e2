"""Webhooks that are switched off and on, changed, removed, or ended because their deliveries failed."""

from tests.handlers.calendar.calls import HOUR_MS, Org, until
from tests.handlers.calendar.hooks import (
    DAY_MS,
    MINUTE_MS,
    answering,
    hook_of,
    later,
    quiet,
    refusing,
    subject,
    took,
    tried,
)
from tests.receivers import Receiver, receiving, status


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
