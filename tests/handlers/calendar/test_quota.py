"""How many events an organisation makes in a month (contract 3.6, D13)."""

import asyncio
from pathlib import Path

from tests.broker_server import running_broker
from tests.handlers.calendar.calls import org_of
from tests.handlers.calendar.conftest import OPEN

MONTH_MS = 31 * 24 * 3_600_000


async def test_past_its_quota_an_organisation_makes_no_more_and_a_month_later_it_does(
    engine_url: str, tmp_path: Path
) -> None:
    limited = {**OPEN, "calendar": {"events_per_month": 3}}
    async with running_broker(engine_url, tmp_path / "signing_key.json", limited) as server:
        acme, rival = await org_of(server), await org_of(server, "rival")
        for org in (acme, rival):
            org.calendar = (await org.make_calendar())["id"]
        hold = await acme.hold(1)
        await acme.refused(
            "POST", f"calendars/{acme.calendar}/events", await acme.hold_body(1), 409, "conflict", "hold_conflict"
        )
        await acme.good("PUT", f"events/{hold['id']}/confirm")
        events, body = f"calendars/{acme.calendar}/events", await acme.body()
        answers = await asyncio.gather(*(acme.ask("POST", events, body) for _ in range(6)))
        assert sorted(each.status_code for each in answers) == [201, 201, 429, 429, 429, 429]
        over = await acme.ask("POST", events, body)
        assert over.json()["error"]["type"] == "quota_exceeded" and "Retry-After" not in over.headers
        assert (await acme.listed())["total"] == 3
        await rival.make()
        await acme.advance(MONTH_MS)
        await acme.make()
