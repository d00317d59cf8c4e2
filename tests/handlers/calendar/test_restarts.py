"""Calendars while processes end and begin: what was due in the gap is told, once, and by two processes once as well."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from broker.ids import render_time
from broker.storage.clock import CLOCK_KEY
from tests.broker_server import running_broker
from tests.handlers.calendar.calls import HOUR_MS, MINUTE_MS, org_of
from tests.handlers.calendar.conftest import OPEN
from tests.serve_process import ServeProcess, serving

PATIENCE_S = 60.0
CLOCK = {"TIDEMARK_CLOCK__MODE": "test"}
ORGANISATION = "calendar-org-acme"


async def test_what_fell_due_while_no_process_ran_is_told_at_the_next_start(engine_url: str, tmp_path: Path) -> None:
    """Case 8. What nobody needs any more is not told: a reminder whose event has begun."""
    key = tmp_path / "signing_key.json"
    async with running_broker(engine_url, key, OPEN) as first:
        org = await org_of(first)
        org.calendar = (await org.make_calendar())["id"]
        hold = await org.hold()
        near, ahead = await org.make(HOUR_MS, HOUR_MS), await org.make(3 * HOUR_MS, reminders=[90])
    with Redis.from_url(engine_url) as engine:
        engine.incrby(CLOCK_KEY, 2 * HOUR_MS)
    async with running_broker(engine_url, key, OPEN) as second:
        org.server = second
        await org.until_told(hold["id"], "hold.created", "hold.expired")
        await org.until_told(near["id"], "event.created", "event.started", "event.ended")
        await org.until_told(ahead["id"], "event.created", "event.reminded")


async def test_two_processes_tell_of_each_moment_once(engine_url: str, tmp_path: Path) -> None:
    """Case 31, with callers at both that meet what is due before the timers do."""
    key = tmp_path / "signing_key.json"
    async with running_broker(engine_url, key, OPEN) as one, running_broker(engine_url, key, OPEN) as other:
        org, elsewhere = await org_of(one), await org_of(other)
        org.calendar = elsewhere.calendar = (await org.make_calendar())["id"]
        events = [await org.make(HOUR_MS, HOUR_MS, reminders=[]) for _ in range(10)]
        holds = [await org.hold(start=f"2030-01-{day:02}T10:00:00Z") for day in range(1, 11)]
        await asyncio.gather(org.advance(3 * HOUR_MS), *(each.listed() for each in [org, elsewhere] * 5))
        for each in events:
            await org.until_told(each["id"], "event.created", "event.started", "event.ended")
        for each in holds:
            await org.until_told(each["id"], "hold.created", "hold.expired")


class Busy:
    """A server with many calendars, of which everything is due at once."""

    def __init__(self, server: ServeProcess) -> None:
        self.server = server
        key = server.ask("POST", "/../../admin/keys", json={"tenant": "acme", "scopes": ["calendar"]}).json()["key"]
        self._headers = {"Authorization": f"Bearer {key}"}
        self.subjects: dict[str, list[str]] = {}

    def call(self, path: str, body: Any) -> Any:
        with self.server.client() as client:
            answer = client.post(f"{self.server.url}/v1/{path}", json=body, headers=self._headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def fill(self, calendars: int, each: int) -> None:
        """Events that begin and end, and holds that expire, all within three hours."""
        now_ms = int(time.time() * 1000)
        for _ in range(calendars):
            calendar = self.call("calendars", {"name": "Work", "timezone": "UTC", "default_reminders": []})["id"]
            for i in range(each):
                times = {
                    "start_time": render_time(now_ms + HOUR_MS + i * HOUR_MS // 10),
                    "end_time": render_time(now_ms + HOUR_MS + (i + 1) * HOUR_MS // 10),
                }
                event = self.call(f"calendars/{calendar}/events", {"title": "Sync", **times})
                self.subjects[event["id"]] = ["event.created", "event.started", "event.ended"]
                held = {"status": "hold", "hold_expires_at": render_time(now_ms + 10 * MINUTE_MS), **times}
                hold = self.call(f"calendars/{calendar}/events", {"title": "Hold", **held})
                self.subjects[hold["id"]] = ["hold.created", "hold.expired"]

    def advance(self, ms: int) -> None:
        with self.server.client() as client:
            assert client.post(f"{self.server.url}/admin/clock", json={"advance_ms": ms}).status_code == 200

    def told(self) -> dict[str, list[str]]:
        """What was told of each subject so far, in its order."""
        found: dict[str, list[str]] = {}
        query, more = "cursor=" + "0" * 26, True
        while more:
            page = self.server.ask("GET", f"/channels/{ORGANISATION}/events?limit=100&{query}").json()
            for event in page["events"]:
                if event["data"]["subject"] in self.subjects:
                    found.setdefault(event["data"]["subject"], []).append(event["type"].removeprefix("calendar."))
            query, more = f"cursor={page['cursor']}", page["has_more"]
        return found


@pytest.mark.timeout(180)
def test_a_process_that_is_killed_in_the_middle_of_it_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "data", CLOCK) as server:
        busy = Busy(server)
        busy.fill(calendars=4, each=4)
        busy.advance(30 * MINUTE_MS)
        for _ in range(3):
            server.kill()
            server.start()
            busy.advance(HOUR_MS)
        until_s = time.monotonic() + PATIENCE_S
        while busy.told() != busy.subjects:
            assert time.monotonic() < until_s, Counter(map(tuple, busy.told().values()))
            time.sleep(0.05)
