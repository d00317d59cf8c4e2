"""When calendars and agents are free, through the door (contract section 12)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from broker.ids import parse_time, render_time
from broker.storage.state import Page
from tests.handlers.calendar.calls import HOUR_MS, MINUTE_MS, Org

RANGE = "start=2030-01-01T09:00:00Z&end=2030-01-01T12:00:00Z&duration=1h"

DAY_MS = 86_400_000
NOON_MS = parse_time("2030-06-01T12:00:00Z")
LENGTHS = st.sampled_from(
    [1, HOUR_MS, DAY_MS - 1, DAY_MS, DAY_MS + 1, 32 * DAY_MS - 1, 32 * DAY_MS, 32 * DAY_MS + 1, 400 * DAY_MS]
)
FROM_END = st.sampled_from([-HOUR_MS, -1, 0, 1, HOUR_MS, DAY_MS])
CHANGES = st.lists(st.tuples(st.integers(0, 3), LENGTHS, FROM_END), min_size=1, max_size=8)


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


def lasting(length_ms: int, after_noon_ms: int) -> dict[str, Any]:
    """An event of this length that ends so long after noon."""
    end_ms = NOON_MS + after_noon_ms
    return {"title": "t", "start_time": render_time(end_ms - length_ms), "end_time": render_time(end_ms)}


@settings(max_examples=25, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate))
@given(CHANGES)
async def test_what_reaches_into_the_range_blocks_however_long_it_lasts(
    acme: Org, changes: list[tuple[int, int, int]]
) -> None:
    """Of four events, made and then changed to any length, those that end after noon are busy from noon on."""
    acme.calendar = (await acme.make_calendar())["id"]
    made: dict[int, tuple[str, int, int]] = {}
    for which, length_ms, after_ms in changes:
        body = lasting(length_ms, after_ms)
        if which in made:
            event = await acme.patch(made[which][0], **body)
        else:
            event = await acme.good("POST", f"calendars/{acme.calendar}/events", body)
        made[which] = (event["id"], length_ms, after_ms)
    query = f"start={render_time(NOON_MS)}&end={render_time(NOON_MS + 2 * DAY_MS)}&include_busy=true"
    found = await acme.good("GET", f"calendars/{acme.calendar}/availability?{query}")
    taken: list[list[int]] = []
    for low, high in sorted((max(after - length, 0), after) for _, length, after in made.values() if after > 0):
        if taken and low <= taken[-1][1]:
            taken[-1][1] = max(taken[-1][1], high)
        else:
            taken.append([low, high])
    busy = [[parse_time(each[name]) - NOON_MS for name in ("start", "end")] for each in found["busy"]]
    assert busy == taken


async def test_what_was_over_long_before_the_range_is_not_read(acme: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, read = acme.server.broker.reader, list[str]()
    page_of = type(reader).page

    async def watched(*asked: Any, **bounds: Any) -> Page:
        page = await page_of(*asked, **bounds)
        read.extend(member.partition("/")[2] for member, _ in page.documents)
        return page

    old = [
        await acme.good("POST", f"calendars/{acme.calendar}/events", lasting(length_ms, -40 * DAY_MS))
        for length_ms in (HOUR_MS, 2 * DAY_MS)
    ]
    met = await acme.good("POST", f"calendars/{acme.calendar}/events", lasting(40 * DAY_MS, HOUR_MS))
    monkeypatch.setattr(type(reader), "page", watched)
    query = f"start={render_time(NOON_MS)}&end={render_time(NOON_MS + DAY_MS)}"
    await acme.good("GET", f"calendars/{acme.calendar}/availability?{query}")
    assert met["id"] in read and not {each["id"] for each in old} & set(read)
