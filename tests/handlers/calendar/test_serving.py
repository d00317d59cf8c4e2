"""Calls that are sent again when what they were about is gone by then, and lists while much is due."""

import pytest

from handlers.calendar.serving import SETTLINGS
from tests.handlers.calendar.calls import MINUTE_MS, Org


@pytest.mark.parametrize("path", ["calendars/{calendar}/events/{event}", "events/{event}", "calendars/{calendar}"])
async def test_a_delete_that_is_sent_again_is_answered_as_the_first_time(acme: Org, path: str) -> None:
    gone = path.format(calendar=acme.calendar, event=(await acme.make())["id"])
    first = await acme.ask("DELETE", gone, Idempotency_Key="k")
    again = await acme.ask("DELETE", gone, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (204, 204) and again.headers["Idempotency-Replayed"] == "true"
    for other in ({"Idempotency_Key": "another"}, {}):
        assert (await acme.ask("DELETE", gone, **other)).status_code == 404


async def test_a_confirmation_that_is_sent_again_after_its_calendar_was_deleted_is_answered_again(acme: Org) -> None:
    hold = await acme.hold()
    first = await acme.ask("PUT", f"events/{hold['id']}/confirm", Idempotency_Key="k")
    assert (await acme.ask("DELETE", f"calendars/{acme.calendar}")).status_code == 204
    again = await acme.ask("PUT", f"events/{hold['id']}/confirm", Idempotency_Key="k")
    assert (again.status_code, again.json()) == (200, first.json())
    await acme.refused("PUT", f"events/{hold['id']}/confirm", None, 404, "not_found")


async def test_the_same_key_on_another_body_is_refused_though_the_calendar_is_gone(acme: Org) -> None:
    events, body = f"calendars/{acme.calendar}/events", await acme.body()
    made = await acme.ask("POST", events, body, Idempotency_Key="k")
    assert made.status_code == 201
    assert (await acme.ask("DELETE", f"calendars/{acme.calendar}")).status_code == 204
    assert (await acme.ask("POST", events, body, Idempotency_Key="k")).json() == made.json()
    assert (await acme.ask("POST", events, {**body, "title": "Other"}, Idempotency_Key="k")).status_code == 409


async def test_a_feed_of_no_calendar_is_not_rotated_and_makes_no_channel(acme: Org) -> None:
    await acme.refused("POST", "calendars/cal_nobody00000000/ical/rotate", None, 404, "not_found")
    headers = acme.server.bearer("admin")
    channel = await acme.server.http.get("/api/v1/channels/calendar-nobody00000000-acme", headers=headers)
    assert channel.status_code == 404


async def test_a_list_is_answered_however_many_calendars_have_holds_that_nobody_saw_end(acme: Org) -> None:
    for _ in range(SETTLINGS + 2):
        acme.calendar = (await acme.make_calendar())["id"]
        await acme.hold()
    # Not by the door that wakes the timers.
    acme.server.broker.engine.clock_offset_ms += MINUTE_MS
    assert (await acme.listed("status=hold"))["total"] == 0
