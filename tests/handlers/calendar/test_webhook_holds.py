"""Holds at a receiver (contract 14): what of them is told, once, and in which order, whatever races."""

import asyncio

from tests.handlers.calendar.calls import HOUR_MS, Org
from tests.handlers.calendar.hooks import MINUTE_MS, driven, hook_of, later, names, refusing, subject, took
from tests.receivers import Receiver, receiving

ENDS = ("event.hold_expired", "event.hold_released", "event.hold_confirmed")


def told_of(receiver: Receiver) -> list[tuple[str, str]]:
    return [(subject(each), name) for each, name in zip(receiver.taken, names(receiver.taken), strict=True)]


async def test_of_many_holds_of_rising_priority_at_once_every_loser_is_told_before_its_conqueror(acme: Org) -> None:
    async with receiving(refusing(2, 5, code=503)) as receiver:
        hook, path = await hook_of(acme, receiver.url), f"calendars/{acme.calendar}/events"
        bodies = [await acme.hold_body(each, ttl_ms=15 * MINUTE_MS) for each in range(12)]
        answers = await asyncio.gather(*(acme.ask("POST", path, body) for body in bodies))
        stored = {each.json()["id"]: each.json() for each in answers if each.status_code == 201}
        count = 2 * len(stored) - 1
        await driven(hook, count)
        told = told_of(receiver)
        assert len(told) == len(set(told)) == count
        [winner] = (await acme.listed("status=hold"))["data"]
        assert winner["hold_priority"] == 11 and set(stored) == {about for about, _ in told}
        order = [
            each["data"] for each in await acme.told("calendar-org-acme") if each["type"] == "calendar.hold.expired"
        ]
        for each in order:
            old, [new] = each["subject"], each["order_with"]
            assert told.index((old, "event.hold_expired")) < told.index((new, "event.hold_created"))


async def test_confirm_release_bump_and_expiry_racing_on_one_hold_end_it_once(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    for _ in range(6):
        hold = await acme.hold(1)
        body = await acme.hold_body(2, title="bump")
        confirmed, released, *_ = await asyncio.gather(
            acme.ask("PUT", f"events/{hold['id']}/confirm"),
            acme.ask("PUT", f"events/{hold['id']}/release"),
            acme.ask("POST", f"calendars/{acme.calendar}/events", body),
            acme.advance(MINUTE_MS),
        )
        assert {confirmed.status_code, released.status_code} in ({200, 409}, {409})
        await acme.listed()
    mark = await later(acme, title="mark")
    await receiver.until(lambda one: any(subject(each) == mark["id"] for each in one.taken), 60)
    told = told_of(receiver)
    for about in {each for each, name in told if name == "event.hold_created"}:
        assert sum((about, name) in told for name in ENDS) == 1
    assert len(told) == len(set(told))
    await hook.counted(pending=0)


async def test_a_bump_that_a_stronger_hold_refuses_and_a_hold_that_is_refused_tell_nothing(
    acme: Org, receiver: Receiver
) -> None:
    await acme.hold(1, ttl_ms=10 * MINUTE_MS)
    await acme.hold(7, ttl_ms=10 * MINUTE_MS, start="2030-01-01T11:00:00Z", end="2030-01-01T12:00:00Z")
    await hook_of(acme, receiver.url)
    path = f"calendars/{acme.calendar}/events"
    for priority, end in ((5, "2030-01-01T13:00:00Z"), (1, "2030-01-01T11:00:00Z")):
        body = await acme.hold_body(priority, end=end)
        await acme.refused("POST", path, body, 409, "conflict", "hold_conflict")
    await later(acme)
    assert await took(receiver, 1) == ["event.created"]


async def test_a_confirmed_hold_is_told_by_its_id_and_of_what_is_past_nothing(acme: Org, receiver: Receiver) -> None:
    await hook_of(acme, receiver.url)
    times = await acme.body(MINUTE_MS, HOUR_MS)
    body = await acme.hold_body(ttl_ms=10 * MINUTE_MS) | {name: times[name] for name in ("start_time", "end_time")}
    hold = await acme.good("POST", f"calendars/{acme.calendar}/events", body)
    await acme.advance(2 * MINUTE_MS)
    confirmed = await acme.good("PUT", f"events/{hold['id']}/confirm")
    assert (confirmed["id"], confirmed["created_at"]) == (hold["id"], hold["created_at"])
    assert confirmed["updated_at"] > hold["updated_at"]
    await acme.advance(2 * HOUR_MS)
    assert await took(receiver, 3) == ["event.hold_created", "event.hold_confirmed", "event.ended"]
    assert {subject(each) for each in receiver.taken} == {hold["id"]}


async def test_of_a_calendar_that_is_deleted_no_hold_expires(acme: Org, receiver: Receiver) -> None:
    await hook_of(acme, receiver.url)
    await acme.hold()
    await acme.make(HOUR_MS)
    assert (await acme.ask("DELETE", f"calendars/{acme.calendar}")).status_code == 204
    acme.calendar = (await acme.make_calendar())["id"]
    await acme.advance(3 * HOUR_MS)
    await later(acme)
    assert await took(receiver, 3) == ["event.hold_created", "event.created", "event.created"]


async def test_an_expired_hold_that_nobody_noted_is_told_before_the_newcomer_of_its_slot(
    acme: Org, receiver: Receiver
) -> None:
    await hook_of(acme, receiver.url)
    old = await acme.hold(9)
    await acme.advance(MINUTE_MS)
    new = await acme.hold(0)
    await took(receiver, 3)
    told = [(old["id"], "event.hold_created"), (old["id"], "event.hold_expired"), (new["id"], "event.hold_created")]
    assert told_of(receiver) == told
