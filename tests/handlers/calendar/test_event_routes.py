"""Calls about events and holds through the door (contract sections 6 to 8 and 14)."""

import asyncio
from typing import Any

import pytest

from tests.handlers.calendar.calls import MINUTE_MS, Org, until

ABSENT = "evt_00000000000000000000000000"


async def test_a_created_event_is_shown_as_the_contract_has_it(acme: Org) -> None:
    body = await acme.body(metadata={"deal": [1, "ü"]}, reminders=[1440, 10, 10], description="d")
    answer = await acme.ask("POST", f"calendars/{acme.calendar}/events", body)
    made = answer.json()
    assert answer.status_code == 201 and answer.headers["Tidemark-Channel"].startswith("calendar-")
    assert list(made) == [
        *("id", "calendar_id", "title", "start_time", "end_time", "description", "all_day", "status", "source"),
        *("metadata", "reminders", "created_at", "updated_at"),
    ]
    assert (made["reminders"], made["metadata"], made["source"]) == ([10, 1440], {"deal": [1, "ü"]}, "internal")
    assert await acme.event(made["id"]) == made
    assert await acme.good("GET", f"events/{made['id']}") == made
    [told] = [each for each in await acme.told() if each["type"] == "calendar.event.created"]
    assert told["data"]["payload"] == {"event": made, "calendar_id": acme.calendar}
    assert told["id"] == answer.headers["Tidemark-Cursor"]


async def test_two_equal_holds_at_once_exactly_one_is_made(acme: Org) -> None:
    body = await acme.hold_body()
    answers = await asyncio.gather(*(acme.ask("POST", f"calendars/{acme.calendar}/events", body) for _ in range(8)))
    assert sorted(each.status_code for each in answers) == [201, *[409] * 7]
    assert (await acme.listed("status=hold"))["total"] == 1
    assert await acme.story() == ["hold.created"]


async def test_many_holds_of_rising_priority_at_once_leave_the_highest(acme: Org) -> None:
    bodies = [await acme.hold_body(priority) for priority in range(10)]
    await asyncio.gather(*(acme.ask("POST", f"calendars/{acme.calendar}/events", each) for each in bodies))
    [left] = (await acme.listed("status=hold"))["data"]
    assert left["hold_priority"] == 9
    live: set[str] = set()
    for each in await acme.told():
        if each["type"] == "calendar.hold.expired":
            live.remove(each["data"]["subject"])
        if each["type"] == "calendar.hold.created":
            assert not live
            live.add(each["data"]["subject"])
    assert live == {left["id"]}


async def test_a_lost_conflict_names_the_hold_and_where_its_next_change_comes(acme: Org) -> None:
    first = await acme.hold(5)
    body = await acme.hold_body(5)
    error = await acme.refused("POST", f"calendars/{acme.calendar}/events", body, 409, "conflict", "hold_conflict")
    assert error["hold"] == {"id": first["id"], "hold_expires_at": first["hold_expires_at"], "hold_priority": 5}
    await acme.good("PUT", f"events/{first['id']}/release")
    page = await acme.server.http.get(
        f"/api/v1/channels/{error['channel']}/events?cursor={error['cursor']}",
        headers={"Authorization": f"Bearer {acme.key}"},
    )
    [change] = page.json()["events"]
    assert (change["type"], change["data"]["subject"]) == ("calendar.hold.released", first["id"])


async def test_confirm_release_and_bump_racing_on_one_hold_end_it_once(acme: Org) -> None:
    for _ in range(5):
        hold = await acme.hold()
        path, stronger = f"events/{hold['id']}", await acme.hold_body(1)
        await asyncio.gather(
            acme.ask("PUT", f"{path}/confirm"),
            acme.ask("PUT", f"{path}/release"),
            acme.ask("POST", f"calendars/{acme.calendar}/events", stronger),
        )
        assert len(await acme.story(hold["id"])) == 2
        for each in (await acme.listed("status=hold"))["data"]:
            await acme.good("PUT", f"events/{each['id']}/release")


async def test_a_read_after_the_expiry_shows_it_though_no_timer_ran(acme: Org) -> None:
    hold = await acme.hold()
    await acme.advance(MINUTE_MS)
    page = await acme.listed("status=hold")
    assert (page["data"], page["total"]) == ([], 0)
    assert (await acme.event(hold["id"]))["status"] == "cancelled"
    await acme.refused("PUT", f"events/{hold['id']}/confirm", None, 409, "conflict", "hold_expired")
    await acme.refused("PUT", f"events/{hold['id']}/release", None, 409, "conflict", "hold_expired")
    assert await acme.story(hold["id"]) == ["hold.created", "hold.expired"]


async def test_an_expired_hold_nobody_noted_causes_no_conflict_and_ends_first(acme: Org) -> None:
    old = await acme.hold(9)
    await acme.advance(MINUTE_MS)
    new = await acme.hold(0)
    assert await acme.story() == ["hold.created", "hold.expired", "hold.created"]
    assert [each["data"]["subject"] for each in await acme.told()][-2:] == [old["id"], new["id"]]


async def test_the_timer_expires_a_hold_nobody_asks_for(acme: Org) -> None:
    hold = await acme.hold()
    await acme.advance(MINUTE_MS)
    await acme.until_told(hold["id"], "hold.created", "hold.expired")


async def test_a_bump_over_several_of_which_one_is_stronger_changes_nothing(acme: Org) -> None:
    await acme.hold(1, start="2030-01-01T10:00:00Z")
    await acme.hold(7, start="2030-01-01T11:00:00Z", end="2030-01-01T12:00:00Z")
    before = await acme.listed()
    body = await acme.hold_body(5, end="2030-01-01T13:00:00Z")
    await acme.refused("POST", f"calendars/{acme.calendar}/events", body, 409, "conflict", "hold_conflict")
    assert await acme.listed() == before and await acme.story() == ["hold.created"] * 2


async def test_a_bump_tells_of_all_it_beat_and_then_of_the_newcomer(acme: Org) -> None:
    second = await acme.hold(2, start="2030-01-01T11:00:00Z", end="2030-01-01T12:00:00Z")
    first = await acme.hold(1)
    new = await acme.hold(3, end="2030-01-01T13:00:00Z")
    *_, one, two, three = await acme.told()
    assert [each["data"]["subject"] for each in (one, two, three)] == [first["id"], second["id"], new["id"]]
    assert one["data"]["order_with"] == two["data"]["order_with"] == [new["id"]]
    assert one["data"]["payload"]["reason"] == "preempted"


async def test_back_to_back_holds_do_not_meet(acme: Org) -> None:
    await acme.hold(start="2030-01-01T10:00:00Z", end="2030-01-01T11:00:00Z")
    await acme.hold(start="2030-01-01T11:00:00Z", end="2030-01-01T12:00:00Z")
    assert (await acme.listed("status=hold"))["total"] == 2


async def test_a_retried_create_returns_the_first_hold(acme: Org) -> None:
    body, path = await acme.hold_body(), f"calendars/{acme.calendar}/events"
    first = await acme.good("POST", path, body, Idempotency_Key="k1")
    assert await acme.good("POST", path, body, Idempotency_Key="k1") == first
    other = await acme.ask("POST", path, {**body, "title": "x"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["error"]["type"]) == (409, "conflict")


@pytest.mark.parametrize("ttl_ms", [29_000, 910_000, -1_000])
async def test_a_hold_is_of_thirty_seconds_to_fifteen_minutes(acme: Org, ttl_ms: int) -> None:
    body = await acme.hold_body(ttl_ms=ttl_ms)
    error = await acme.refused("POST", f"calendars/{acme.calendar}/events", body, 400, "validation_error")
    assert error["param"] == "hold_expires_at"


@pytest.mark.parametrize("priority", [True, 1.0, "5", -1, 101, None])
async def test_a_priority_is_an_integer(acme: Org, priority: object) -> None:
    body = await acme.hold_body() | {"hold_priority": priority}
    error = await acme.refused("POST", f"calendars/{acme.calendar}/events", body, 400, "validation_error")
    assert error["param"] == "hold_priority"


@pytest.mark.parametrize("more", [{"hold_priority": 0}, {"hold_priority": None}, {"hold_expires_at": None}])
async def test_what_is_of_holds_is_refused_elsewhere(acme: Org, more: dict[str, Any]) -> None:
    body = await acme.body(**more)
    await acme.refused("POST", f"calendars/{acme.calendar}/events", body, 400, "validation_error")


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x"}, {"status": "confirmed"}])
async def test_a_patch_of_a_hold_is_an_invalid_transition_whatever_it_says(acme: Org, body: object) -> None:
    hold = await acme.hold()
    path = f"calendars/{acme.calendar}/events/{hold['id']}"
    await acme.refused("PATCH", path, body, 400, "invalid_transition")


async def test_a_confirmed_hold_keeps_its_id_and_its_history(acme: Org) -> None:
    hold = await acme.hold(4)
    confirmed = await acme.good("PUT", f"events/{hold['id']}/confirm")
    assert confirmed["status"] == "confirmed" and confirmed["updated_at"] > hold["updated_at"]
    kept = {name: confirmed[name] for name in hold if name not in ("status", "updated_at")}
    assert kept == {name: hold[name] for name in kept}
    await acme.refused("PUT", f"events/{hold['id']}/confirm", None, 409, "conflict", "not_a_hold")


async def test_what_may_be_done_with_what_is_no_hold(acme: Org) -> None:
    event, hold = await acme.make(), await acme.hold()
    await acme.good("PUT", f"events/{hold['id']}/release")
    for each in (event, hold):
        for command in ("confirm", "release"):
            await acme.refused("PUT", f"events/{each['id']}/{command}", None, 409, "conflict", "not_a_hold")
    path = f"calendars/{acme.calendar}/events/{event['id']}"
    await acme.refused("PATCH", path, {"status": "hold"}, 400, "validation_error")
    assert (await acme.patch(hold["id"], status="confirmed"))["status"] == "confirmed"


async def test_deleting_a_hold_frees_its_slot(acme: Org) -> None:
    hold = await acme.hold()
    answer = await acme.ask("DELETE", f"calendars/{acme.calendar}/events/{hold['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    await acme.hold()
    assert await acme.story(hold["id"]) == ["hold.created", "event.deleted"]


async def test_what_is_not_there_is_not_found_by_every_path(acme: Org, rival: Org) -> None:
    event, hold = await acme.make(), await acme.hold()
    other = (await acme.make_calendar())["id"]
    own = f"calendars/{acme.calendar}/events"
    for org, path in (
        (acme, f"{own}/{ABSENT}"),
        (acme, f"calendars/cal_x/events/{event['id']}"),
        (acme, f"calendars/{other}/events/{event['id']}"),
        (rival, f"{own}/{event['id']}"),
        (rival, f"calendars/{rival.calendar}/events/{event['id']}"),
        (rival, f"events/{event['id']}"),
        (acme, "events/a%0Ab"),
    ):
        for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
            await org.refused(method, path, body, 404, "not_found")
    for command in ("confirm", "release"):
        await rival.refused("PUT", f"events/{hold['id']}/{command}", None, 404, "not_found")
    await rival.refused("GET", own, None, 404, "not_found")
    await rival.refused("POST", own, await acme.body(), 404, "not_found")


async def test_updated_at_strictly_grows(acme: Org) -> None:
    event = await acme.make()
    answers = await asyncio.gather(*(acme.patch(event["id"], title=f"t{each}") for each in range(6)))
    times = sorted(each["updated_at"] for each in answers)
    assert len(set(times)) == 6 and times[0] > event["updated_at"]


async def test_metadata_is_replaced_and_the_description_cleared(acme: Org) -> None:
    event = await acme.make(metadata={"a": 1}, description="d")
    assert (await acme.patch(event["id"], metadata={"b": 2}))["metadata"] == {"b": 2}
    after = await acme.patch(event["id"], metadata={}, description=None)
    assert (after["metadata"], after["description"]) == ({}, None)
    path = f"calendars/{acme.calendar}/events/{event['id']}"
    bodies: list[Any] = [{}, {"metadata": None}, {"unknown": 1}, {"title": None}, [], {"end_time": event["start_time"]}]
    for bad in bodies:
        await acme.refused("PATCH", path, bad, 400, "validation_error")


async def test_lists_are_filtered_by_all_and_totals_are_exact(acme: Org) -> None:
    made = [await acme.make(each * MINUTE_MS, title=str(each)) for each in (3, 1, 2, 5)]
    await acme.patch(made[0]["id"], status="tentative")
    await acme.make(MINUTE_MS, status="cancelled")
    page = await acme.listed("limit=2&offset=1")
    assert (page["total"], page["limit"], page["offset"], len(page["data"])) == (5, 2, 1, 2)
    assert (await acme.listed("offset=99")) == {"data": [], "total": 5, "limit": 50, "offset": 99}
    window = f"start_after={made[2]['start_time']}&start_before={made[3]['start_time']}"
    assert [each["title"] for each in (await acme.listed(window))["data"]] == ["2", "3"]
    assert (await acme.listed(f"{window}&status=confirmed"))["total"] == 1
    assert (await acme.listed("source=external_ical"))["total"] == 0


@pytest.mark.parametrize(
    "query",
    ["status=HOLD", "status=", "limit=1&limit=2", "limit=1e2", "limit=0", "limit=201", "offset=-1", "start_after=2030"],
)
async def test_a_bad_query_is_refused(acme: Org, query: str) -> None:
    await acme.refused("GET", f"calendars/{acme.calendar}/events?{query}", None, 400, "validation_error")


async def test_totals_are_exact_while_others_write(acme: Org) -> None:
    await asyncio.gather(*(acme.make(each * MINUTE_MS) for each in range(1, 21)))
    first = (await acme.listed("limit=1"))["data"][0]
    deleted = acme.ask("DELETE", f"calendars/{acme.calendar}/events/{first['id']}")
    pages = await asyncio.gather(*(acme.listed("limit=200") for _ in range(4)), deleted, acme.listed("limit=200"))
    for page in pages:
        if isinstance(page, dict):
            assert page["total"] == len(page["data"]) in (19, 20)


async def test_an_expiry_is_told_once_however_many_look(acme: Org) -> None:
    hold = await acme.hold()
    await acme.advance(MINUTE_MS)
    await asyncio.gather(*(acme.event(hold["id"]) for _ in range(4)), *(acme.listed("status=hold") for _ in range(4)))

    async def is_quiet() -> bool:
        headers = acme.server.bearer("admin")
        return not (await acme.server.http.get("/admin/timers", headers=headers)).json()["timers"]

    await until(is_quiet)
    assert await acme.story(hold["id"]) == ["hold.created", "hold.expired"]
