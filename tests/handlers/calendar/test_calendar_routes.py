"""Calls about calendars and agents through the door (contract sections 3 to 5)."""

from typing import Any

from handlers.calendar.calendars import Agent, Calendar, parse_agent, parse_calendar, render_kept
from handlers.calendar.serving import fresh_calendar_id
from tests.handlers.calendar.calls import HOUR_MS, Org, org_of, until


def test_calendars_and_agents_are_kept_as_they_are() -> None:
    calendar = Calendar("cal_a", "n", "UTC", 1, 2, "agt_a", "working", (5,), {"a": [1]}, 3, 4)
    agent = Agent("agt_a", "n", "ai", 1, 2, "d", metadata={"n": 2**70})
    assert parse_calendar(render_kept(calendar)) == calendar and parse_agent(render_kept(agent)) == agent
    assert len(fresh_calendar_id()) == 18 and fresh_calendar_id() != fresh_calendar_id()


async def test_a_calendar_is_made_shown_changed_and_listed(acme: Org) -> None:
    made = await acme.make_calendar(default_reminders=[60, 5], metadata={"a": 1})
    assert (made["org_id"], made["agent_id"], made["agent_status"]) == ("org_acme", None, "idle")
    assert made["default_reminders"] == [5, 60] and await acme.good("GET", f"calendars/{made['id']}") == made
    changed = {"name": "Home", "default_reminders": None, "agent_status": "working", "timezone": "Asia/Tokyo"}
    after = await acme.good("PATCH", f"calendars/{made['id']}", changed)
    assert {name: after[name] for name in changed} == changed and after["updated_at"] > made["updated_at"]
    page = await acme.good("GET", "calendars?include=all&limit=1&offset=1")
    assert (page["total"], page["data"]) == (2, [after])


async def test_bad_calendars_are_refused(acme: Org) -> None:
    bodies: list[Any] = [
        {},
        {"name": "", "timezone": "UTC"},
        {"name": "n", "timezone": "Mars/Base"},
        {"name": "n", "timezone": "UTC", "default_reminders": [0]},
        {"name": "n", "timezone": "UTC", "default_reminders": [True]},
        {"name": "n", "timezone": "UTC", "default_reminders": [1] * 6},
        {"name": "n", "timezone": "UTC", "metadata": None},
        {"name": "n", "timezone": "UTC", "metadata": {"a": "ü" * 16_384}},
        [],
    ]
    for bad in bodies:
        await acme.refused("POST", "calendars", bad, 400, "validation_error")
    assert (await acme.make_calendar(metadata={"a": "ü" * 16_376}))["metadata"]["a"] == "ü" * 16_376
    await acme.refused("PATCH", f"calendars/{acme.calendar}", {}, 400, "validation_error")
    await acme.refused("PATCH", "calendars/cal_x", {}, 404, "not_found")


async def test_a_deleted_calendar_takes_its_events_and_timers_along(acme: Org) -> None:
    agent = (await acme.make_agent())["id"]
    calendar = (await acme.good("POST", f"agents/{agent}/calendars", {"name": "x", "timezone": "UTC"}))["id"]
    acme.calendar = calendar
    event, hold = await acme.make(), await acme.hold()
    for each in range(110):
        await acme.make(HOUR_MS * (each + 1), title=str(each))
    assert (await acme.good("GET", f"agents/{agent}/events"))["total"] == 112
    answer = await acme.ask("DELETE", f"calendars/{calendar}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in (f"calendars/{calendar}", f"calendars/{calendar}/events", f"calendars/{calendar}/events/{event['id']}"):
        await acme.refused("GET", path, None, 404, "not_found")
    await acme.refused("GET", f"events/{event['id']}", None, 404, "not_found")
    await acme.refused("PUT", f"events/{hold['id']}/confirm", None, 404, "not_found")
    assert (await acme.good("GET", f"agents/{agent}/events"))["total"] == 0

    async def has_no_timers() -> bool:
        headers = acme.server.bearer("admin")
        return not (await acme.server.http.get("/admin/timers", headers=headers)).json()["timers"]

    await until(has_no_timers)
    assert "calendar.hold.expired" not in [each["type"] for each in await acme.told("calendar-org-acme")]


async def test_agents_are_made_and_listed(acme: Org, rival: Org) -> None:
    made = await acme.make_agent(description="d")
    assert (made["status"], made["org_id"], made["description"]) == ("active", "org_acme", "d")
    assert await acme.good("GET", f"agents/{made['id']}") == made
    assert (await acme.good("GET", "agents"))["data"] == [made]
    await rival.refused("GET", f"agents/{made['id']}", None, 404, "not_found")
    await acme.refused("POST", "agents", {"name": "x", "type": "cat"}, 400, "validation_error")


async def test_an_agents_key_sees_the_agents_own_only(acme: Org) -> None:
    agent = (await acme.make_agent())["id"]
    own = await org_of(acme.server, "acme", agent)
    own.calendar = (await own.good("POST", f"agents/{agent}/calendars", {"name": "x", "timezone": "UTC"}))["id"]
    event, hold = await own.make(), await acme.hold()
    assert own.key.startswith("chr_ak_") and acme.key.startswith("chr_sk_")
    assert [each["id"] for each in (await own.good("GET", "calendars"))["data"]] == [own.calendar]
    assert (await acme.good("GET", f"agents/{agent}/events"))["data"] == [event]
    for method, path, body in (
        ("GET", f"calendars/{acme.calendar}", None),
        ("POST", f"calendars/{acme.calendar}/events", await acme.body()),
        ("PUT", f"events/{hold['id']}/confirm", None),
        ("DELETE", f"calendars/{acme.calendar}", None),
    ):
        await own.refused(method, path, body, 404, "not_found")
    for method, path, body in (
        ("POST", "agents", {"name": "x", "type": "ai"}),
        ("GET", "agents", None),
        ("POST", "calendars", {"name": "x", "timezone": "UTC"}),
    ):
        await own.refused(method, path, body, 403, "forbidden")
    nobody = Org(acme.server, "acme", "chr_sk_00" + "x" * 40)
    await nobody.refused("GET", "calendars", None, 401, "authentication_error")
    await acme.refused("PUT", "calendars", None, 405, "validation_error")
