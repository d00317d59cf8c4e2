"""Events of any length block the time that they reach into, by whichever index they are found."""

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from broker.ids import parse_time, render_time
from tests.handlers.calendar.calls import HOUR_MS, Org

DAY_MS = 86_400_000
NOON_MS = parse_time("2030-06-01T12:00:00Z")
LENGTHS = st.sampled_from(
    [1, HOUR_MS, DAY_MS - 1, DAY_MS, DAY_MS + 1, 32 * DAY_MS - 1, 32 * DAY_MS, 32 * DAY_MS + 1, 400 * DAY_MS]
)
FROM_END = st.sampled_from([-HOUR_MS, -1, 0, 1, HOUR_MS, DAY_MS])
CHANGES = st.lists(st.tuples(st.integers(0, 3), LENGTHS, FROM_END), min_size=1, max_size=8)


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
