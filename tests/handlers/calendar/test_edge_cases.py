"""The contract's edge cases (section 14) that no other test of this folder is about, by their numbers."""

import asyncio
import json
from typing import Any

import pytest

from broker.change import Document
from broker.ids import parse_time
from broker.storage.state import Loaded
from handlers.calendar.calendar_event import CalendarEvent, Status, render_kept
from handlers.calendar.calendars import Calendar
from handlers.calendar.calendars import render_kept as render_kept_calendar
from handlers.calendar.decisions import Due, Place, ending
from handlers.calendar.documents import calendar_key, event_key, holds_key
from handlers.calendar.holds import Hold, render_holds
from handlers.calendar.machine import Command
from tests.handlers.calendar.calls import HOUR_MS, MINUTE_MS, Org

MOST_MINUTES = 40_320
PLACE = Place("acme", "cal_a")
HELD = CalendarEvent("evt_a", "cal_a", "t", 0, 9, 1, 1, status=Status.HOLD, hold_expires_ms=100)


def loaded(now_ms: int) -> Loaded:
    """A calendar with one hold that ends at 100."""
    bodies = {
        calendar_key("acme", "cal_a"): render_kept_calendar(Calendar("cal_a", "Work", "UTC", 1, 1)),
        holds_key("acme", "cal_a"): render_holds([Hold("evt_a", 0, 9, 100, 0)]),
        event_key("acme", "evt_a"): render_kept(HELD),
    }
    return Loaded(now_ms * 1_000, {key: Document(1, body) for key, body in bodies.items()}, None, {})


def test_case_4_a_millisecond_decides_whether_a_hold_can_still_be_confirmed() -> None:
    assert ending(PLACE, "evt_a", Command.CONFIRM, loaded(99)).answer is not None
    with pytest.raises(Due):
        ending(PLACE, "evt_a", Command.CONFIRM, loaded(100))


async def test_case_10_a_refused_hold_leaves_nothing(acme: Org) -> None:
    await acme.hold(5)
    told, total = len(await acme.told()), (await acme.listed())["total"]
    body = await acme.hold_body(5)
    await acme.refused("POST", f"calendars/{acme.calendar}/events", body, 409, "conflict", "hold_conflict")
    assert (len(await acme.told()), (await acme.listed())["total"]) == (told, total)


async def test_case_12_the_least_time_of_a_hold_is_by_the_engines_clock(acme: Org) -> None:
    events = f"calendars/{acme.calendar}/events"
    late = await acme.hold_body(ttl_ms=30_000)
    await acme.advance(1)
    error = await acme.refused("POST", events, late, 400, "validation_error")
    assert error["param"] == "hold_expires_at"
    assert (await acme.hold(ttl_ms=15 * MINUTE_MS))["status"] == "hold"


async def test_case_13_a_hold_of_days_meets_all_that_lie_in_it(acme: Org) -> None:
    inner = [await acme.hold(1, start=f"2030-01-0{day}T10:00:00Z") for day in (2, 3, 4)]
    outside = await acme.hold(1, start="2030-01-09T10:00:00Z")
    await acme.hold(2, start="2030-01-01T10:00:00Z", end="2030-01-08T00:00:00Z")
    for each in inner:
        assert (await acme.event(each["id"]))["status"] == "cancelled"
    assert (await acme.event(outside["id"]))["status"] == "hold"


async def test_case_19_holds_of_a_deleted_calendar_are_told_nothing_more_of(acme: Org) -> None:
    hold, deleted = await acme.hold(), acme.calendar
    assert (await acme.ask("DELETE", f"calendars/{deleted}")).status_code == 204
    await acme.advance(HOUR_MS)
    # What comes after it on the organisation's channel shows that the timers have had their time.
    acme.calendar = (await acme.make_calendar())["id"]
    later = await acme.hold(ttl_ms=MINUTE_MS)
    await acme.advance(HOUR_MS)
    await acme.until_told(later["id"], "hold.created", "hold.expired")
    told = [each["type"] for each in await acme.told("calendar-org-acme") if each["data"]["subject"] == hold["id"]]
    assert told == ["calendar.hold.created"]


async def test_case_21_null_gives_reminders_back_and_an_absent_member_keeps_them(acme: Org) -> None:
    event = await acme.make(reminders=[5])
    assert (await acme.patch(event["id"], title="Other"))["reminders"] == [5]
    assert (await acme.patch(event["id"], reminders=None))["reminders"] is None
    assert (await acme.patch(event["id"], reminders=[]))["reminders"] == []


async def test_case_23_a_reminder_four_weeks_ahead_comes_and_one_that_is_past_does_not(acme: Org) -> None:
    event = await acme.make(MOST_MINUTES * MINUTE_MS + HOUR_MS, reminders=[MOST_MINUTES])
    near = await acme.make(HOUR_MS, reminders=[90, 61])
    await acme.advance(HOUR_MS)
    await acme.until_told(event["id"], "event.created", "event.reminded")
    await acme.until_told(near["id"], "event.created", "event.started")


async def test_case_27_an_event_of_the_past_is_told_nothing_of_and_one_under_way_its_end(acme: Org) -> None:
    past = await acme.make(-2 * HOUR_MS)
    under_way = await acme.make(-HOUR_MS // 2)
    await acme.advance(HOUR_MS)
    await acme.until_told(under_way["id"], "event.created", "event.ended")
    assert await acme.story(past["id"]) == ["event.created"]


async def test_case_30_events_ahead_are_no_tasks(acme: Org) -> None:
    await acme.make()
    before = len(asyncio.all_tasks())
    for _ in range(30):
        await acme.make(30 * 24 * HOUR_MS, reminders=[1, 2, 3, 4, 5])
    assert len(asyncio.all_tasks()) <= before + 3


@pytest.mark.parametrize(("letters", "status"), [("a" * 16_376, 201), ("é" * 16_376, 201), ("a" * 16_377, 400)])
async def test_case_32_metadata_counts_the_characters_of_its_compact_json(acme: Org, letters: str, status: int) -> None:
    metadata = {"k": letters}
    assert len(json.dumps(metadata, separators=(",", ":"), ensure_ascii=False)) == len(letters) + 8
    body = await acme.body(metadata=metadata)
    answer = await acme.ask("POST", f"calendars/{acme.calendar}/events", body)
    assert answer.status_code == status, answer.text[:200]
    if status == 201:
        assert answer.json()["metadata"] == metadata
    else:
        assert answer.json()["error"]["param"] == "metadata"


async def test_case_33_metadata_is_replaced_whole_cleared_by_an_empty_one_and_never_null(acme: Org) -> None:
    event = await acme.make(metadata={"a": 1, "b": 2})
    assert (await acme.patch(event["id"], metadata={"c": 3}))["metadata"] == {"c": 3}
    assert (await acme.patch(event["id"], metadata={}))["metadata"] == {}
    path = f"calendars/{acme.calendar}/events/{event['id']}"
    assert (await acme.refused("PATCH", path, {"metadata": None}, 400, "validation_error"))["param"] == "metadata"


async def test_case_34_a_title_is_as_long_as_its_characters_and_may_be_blank(acme: Org) -> None:
    events = f"calendars/{acme.calendar}/events"
    assert (await acme.make(title="日" * 500))["title"] == "日" * 500
    assert (await acme.make(title=" "))["title"] == " "
    for bad in ("日" * 501, ""):
        error = await acme.refused("POST", events, await acme.body(title=bad), 400, "validation_error")
        assert error["param"] == "title"


async def test_case_35_the_order_of_times_is_checked_on_the_changed_event(acme: Org) -> None:
    event = await acme.make(HOUR_MS, HOUR_MS)
    path = f"calendars/{acme.calendar}/events/{event['id']}"
    for bad in ({"start_time": event["end_time"]}, {"end_time": event["start_time"]}):
        await acme.refused("PATCH", path, bad, 400, "validation_error")
    moved = await acme.patch(event["id"], start_time=event["end_time"], end_time="2031-01-01T00:00:00Z")
    assert parse_time(moved["start_time"]) == parse_time(event["end_time"])


async def test_case_37_all_day_changes_no_time_and_no_reminder(acme: Org) -> None:
    plain, whole = await acme.make(reminders=[30]), await acme.make(reminders=[30], all_day=True)
    assert whole["all_day"] is True and parse_time(whole["end_time"]) - parse_time(whole["start_time"]) == HOUR_MS
    await acme.advance(30 * MINUTE_MS)
    for each in (plain, whole):
        await acme.until_told(each["id"], "event.created", "event.reminded")


@pytest.mark.parametrize(
    ("member", "status"),
    [
        ('"metadata": {"n": NaN}', 400),
        ('"metadata": {"n": Infinity}', 400),
        ('"title": "\\ud800"', 400),
        ('"title": "a\\u0000b"', 201),
        ('"title": "first", "title": "last"', 201),
    ],
)
async def test_case_38_strange_json_is_refused_or_kept_as_it_is_and_never_a_defect(
    acme: Org, member: str, status: int
) -> None:
    body: Any = await acme.body()
    times = json.dumps({name: body[name] for name in ("start_time", "end_time")})[1:-1]
    title = "" if '"title"' in member else '"title": "Sync", '
    answer = await acme.server.http.post(
        f"/v1/calendars/{acme.calendar}/events",
        content=f"{{{title}{times}, {member}}}".encode(),
        headers={"Authorization": f"Bearer {acme.key}", "Content-Type": "application/json"},
    )
    assert answer.status_code == status, answer.text
    if status == 400:
        assert answer.json()["error"]["type"] == "validation_error"
    else:
        assert answer.json()["title"] in ("a\0b", "last")


async def test_case_43_a_hold_of_another_organisation_cannot_be_ended(acme: Org, rival: Org) -> None:
    hold = await acme.hold()
    for verb in ("confirm", "release"):
        await rival.refused("PUT", f"events/{hold['id']}/{verb}", None, 404, "not_found")
    assert (await acme.event(hold["id"]))["status"] == "hold"
