"""Reminders, starts and ends as time passes (contract sections 9 and 14)."""

import asyncio
from functools import partial
from typing import Any

import pytest

from broker.storage.state import Page, Reader
from handlers.calendar.calendar_event import CalendarEvent, parse_kept, render_kept
from handlers.calendar.documents import event_index
from handlers.calendar.making import MOST_AT_ONCE
from handlers.calendar.timing import timers_of
from tests.handlers.calendar.calls import HOUR_MS, MINUTE_MS, Org, until

TOLD = ("event.created", "event.reminded", "event.started", "event.ended")


async def is_armed_only_by_moments(org: Org) -> bool:
    """Whether no timer is left that has still to arm others."""
    answer = await org.server.http.get("/admin/timers?limit=100", headers=org.server.bearer("admin"))
    return "calendar-rearm" not in answer.text


def test_an_event_is_kept_as_it_is() -> None:
    event = CalendarEvent("e", "c", "t", 1, 2, 3, 4, metadata={"n": 2**70}, reminders=(1, 2), watched_ms=9)
    assert parse_kept(render_kept(event)) == event


async def test_each_timer_of_calendars_has_somebody_who_acts_on_it(acme: Org) -> None:
    kinds = {"calendar-expiry", "calendar-moment", "calendar-rearm", "calendar-purge", "calendar-forget"}
    assert kinds == set(timers_of(acme.server.broker))


async def test_an_event_is_reminded_of_begins_and_ends(acme: Org) -> None:
    event = await acme.make(reminders=[10, 30])
    await acme.advance(30 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2])
    await acme.advance(20 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2], "event.reminded")
    await acme.advance(10 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2], "event.reminded", "event.started")
    await acme.advance(HOUR_MS)
    await acme.until_told(event["id"], *TOLD[:2], "event.reminded", "event.started", "event.ended")
    minutes = [each["data"]["payload"].get("reminder_minutes") for each in await acme.told()][-4:]
    assert minutes == [30, 10, None, None]


async def test_the_default_is_ten_minutes_and_that_of_the_calendar_goes_before_it(acme: Org) -> None:
    event = await acme.make()
    other = (await acme.make_calendar(default_reminders=[20]))["id"]
    first, acme.calendar = acme.calendar, other
    inheriting = await acme.make()
    await acme.advance(40 * MINUTE_MS)
    await acme.until_told(inheriting["id"], *TOLD[:2])
    acme.calendar = first
    assert await acme.story(event["id"]) == ["event.created"]
    await acme.advance(10 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2])


async def test_new_defaults_count_for_what_is_not_due_yet(acme: Org) -> None:
    event, own = await acme.make(), await acme.make(reminders=[])
    await acme.good("PATCH", f"calendars/{acme.calendar}", {"default_reminders": [45]})
    await acme.advance(15 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2])
    await acme.good("PATCH", f"calendars/{acme.calendar}", {"default_reminders": []})
    await acme.advance(45 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2], "event.started")
    await acme.until_told(own["id"], "event.created", "event.started")


async def test_new_defaults_reach_every_event_though_others_are_removed_meanwhile(
    acme: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    await acme.good("PATCH", f"calendars/{acme.calendar}", {"default_reminders": []})
    gone = await acme.make(2 * HOUR_MS)
    for _ in range(MOST_AT_ONCE - 1):
        await acme.make(3 * HOUR_MS)
    last = await acme.make(4 * HOUR_MS)
    page_of, index, removed = Reader.page, event_index("acme", acme.calendar, "confirmed"), asyncio.Event()

    async def watched(reader: Reader, partition: int, kind: str, name: str, **bounds: Any) -> Page:
        page = await page_of(reader, partition, kind, name, **bounds)
        if name == index and not removed.is_set():
            removed.set()
            await acme.ask("DELETE", f"events/{gone['id']}")
        return page

    monkeypatch.setattr(Reader, "page", watched)
    await acme.good("PATCH", f"calendars/{acme.calendar}", {"default_reminders": [60]})
    await removed.wait()
    await until(partial(is_armed_only_by_moments, acme))
    await acme.advance(3 * HOUR_MS)
    await acme.until_told(last["id"], "event.created", "event.reminded")


async def test_a_start_that_moves_has_its_reminders_again(acme: Org) -> None:
    event = await acme.make()
    await acme.advance(50 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2])
    later = await acme.body(2 * HOUR_MS)
    await acme.patch(event["id"], start_time=later["start_time"], end_time=later["end_time"])
    await acme.advance(110 * MINUTE_MS)
    await acme.until_told(event["id"], *TOLD[:2], "event.updated", "event.reminded")


async def test_a_start_that_moves_into_the_past_is_not_told_and_the_end_is(acme: Org) -> None:
    event = await acme.make()
    past = await acme.body(-HOUR_MS, 2 * HOUR_MS)
    await acme.patch(event["id"], start_time=past["start_time"], end_time=past["end_time"])
    await acme.advance(2 * HOUR_MS)
    await acme.until_told(event["id"], "event.created", "event.updated", "event.ended")


async def test_cancelled_and_confirmed_again_before_it_is_due_tells_once(acme: Org) -> None:
    event = await acme.make()
    await acme.patch(event["id"], status="cancelled")
    await acme.patch(event["id"], status="confirmed")
    await acme.advance(50 * MINUTE_MS)
    await acme.until_told(event["id"], "event.created", "event.updated", "event.updated", "event.reminded")


async def test_what_is_due_is_told_before_a_change_though_no_timer_ran(acme: Org) -> None:
    event = await acme.make()
    await acme.advance(50 * MINUTE_MS)
    await acme.patch(event["id"], status="tentative")
    await acme.advance(2 * HOUR_MS)
    await acme.patch(event["id"], title="x")
    assert await acme.story(event["id"]) == ["event.created", "event.reminded", "event.updated", "event.updated"]


async def test_a_confirmed_hold_is_told_only_what_is_still_ahead(acme: Org) -> None:
    now = await acme.body(-MINUTE_MS, 10 * MINUTE_MS)
    hold = await acme.hold(start=now["start_time"], end=now["end_time"])
    await acme.good("PUT", f"events/{hold['id']}/confirm")
    await acme.advance(20 * MINUTE_MS)
    await acme.until_told(hold["id"], "hold.created", "hold.confirmed", "event.ended")


async def test_tentative_events_are_told_nothing_of_and_deleted_ones_neither(acme: Org) -> None:
    tentative, gone = await acme.make(status="tentative"), await acme.make()
    await acme.ask("DELETE", f"events/{gone['id']}")
    witness = await acme.make(3 * HOUR_MS, reminders=[])
    await acme.advance(4 * HOUR_MS)
    await acme.until_told(witness["id"], "event.created", "event.started", "event.ended")
    assert await acme.story(tentative["id"]) == ["event.created"]
    assert await acme.story(gone["id"]) == ["event.created", "event.deleted"]
