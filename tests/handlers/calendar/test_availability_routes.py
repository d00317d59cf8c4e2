"""When calendars and agents are free, through the door (contract section 12)."""

from typing import Any

import pytest

from broker.ids import render_time
from handlers.calendar.serving import read_all
from tests.handlers.calendar.calls import HOUR_MS, MINUTE_MS, Org

DAY_MS = 24 * HOUR_MS

RANGE = "start=2030-01-01T09:00:00Z&end=2030-01-01T12:00:00Z&duration=1h"


def starts(answer: dict[str, object]) -> list[str]:
    return [each["start"][11:16] for each in answer["slots"]]  # type: ignore[attr-defined]


async def test_a_hold_blocks_until_its_clock_ran_out(acme: Org) -> None:
    await acme.hold()
    path = f"calendars/{acme.calendar}/availability?{RANGE}"
    found = await acme.good("GET", f"{path}&include_busy=true")
    assert starts(found) == ["09:00", "11:00"] and found["calendar_id"] == acme.calendar
    assert found["busy"] == [{"start": "2030-01-01T10:00:00.000Z", "end": "2030-01-01T11:00:00.000Z"}]
    assert (found["availability_state"], found["warnings"]) == ("complete", [])
    await acme.advance(MINUTE_MS)
    found = await acme.good("GET", path)
    assert starts(found) == ["09:00", "10:00", "11:00"] and "busy" not in found


async def test_an_agent_is_free_where_all_its_calendars_are(acme: Org) -> None:
    agent = (await acme.make_agent())["id"]
    for hour in ("09", "11"):
        calendar = await acme.good("POST", f"agents/{agent}/calendars", {"name": "x", "timezone": "UTC"})
        body = {"title": "t", "start_time": f"2030-01-01T{hour}:00:00Z", "end_time": f"2030-01-01T{hour}:30:00Z"}
        await acme.good("POST", f"calendars/{calendar['id']}/events", body)
    found = await acme.good("GET", f"agents/{agent}/availability?{RANGE}&include_busy=true")
    assert starts(found) == ["09:30"] and found["agents"] == [agent] and len(found["per_agent_busy"][agent]) == 2
    await acme.refused("GET", f"agents/{agent}/availability", None, 400, "validation_error")
    await acme.refused("GET", f"agents/agt_x/availability?{RANGE}", None, 404, "not_found")
    await acme.refused("GET", f"calendars/cal_x/availability?{RANGE}", None, 404, "not_found")


async def test_many_events_of_the_past_are_not_looked_at_and_long_ones_are(
    acme: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in range(1, 9):
        await acme.make(-hour * DAY_MS, HOUR_MS)
    long = await acme.make(-9 * DAY_MS, 10 * DAY_MS)
    seen: list[int] = []

    async def watched(*words: Any, **bounds: Any) -> Any:
        found = await read_all(*words, **bounds)
        seen.append(len(found.events))
        return found

    monkeypatch.setattr("handlers.calendar.availability_routes.read_all", watched)
    now_ms = await acme.now_ms()
    start, end = render_time(now_ms), render_time(now_ms + HOUR_MS)
    query = f"start={start}&end={end}&include_busy=true"
    answer = await acme.good("GET", f"calendars/{acme.calendar}/availability?{query}")
    assert seen == [1] and answer["slots"] == [] and answer["busy"] == [{"start": start, "end": end}]
    assert long["status"] == "confirmed"
