"""Holds of one calendar under concurrent creates, confirms, releases and bumps while the clock moves.

Whatever is drawn, the channel tells a story that a sequential calendar could tell, and every answer belongs to it.
"""

import asyncio
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from broker.ids import parse_time, render_time
from tests.handlers.calendar.calls import Org
from tests.handlers.calendar.hold_model import Call, Model, Wanted, call_of

HOUR_MS = 3_600_000
DAY_MS = parse_time("2030-01-01T00:00:00Z")
SLACK_MS = 2_000
"""A bound of 30 s is by the engine's clock at receipt; a slow machine must not turn a good hold into a bad one."""

CREATES = st.tuples(
    st.just("create"), st.integers(0, 3), st.integers(1, 3), st.integers(0, 3), st.sampled_from([60_000, 300_000])
)
ENDS = st.tuples(st.sampled_from(["confirm", "release"]), st.integers(0, 9))
WAITS = st.tuples(st.just("wait"), st.sampled_from([30_000, 61_000, 200_000]))
BATCHES = st.lists(st.lists(st.one_of(CREATES, CREATES, ENDS, ENDS, WAITS), min_size=1, max_size=6), max_size=7)


class Run:
    """One calendar, the holds that were made on it in their order, and the model that follows."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.model = Model()
        self.made: list[str] = []

    async def batch(self, commands: list[Any]) -> None:
        """Make all of these calls at once, then check what was told and what was answered."""
        since, known = self.model.seen, list(self.made)
        calls = [each for each in await asyncio.gather(*(self.do(each, known) for each in commands)) if each]
        for call in calls:
            if call.status == 201:
                assert call.wanted is not None
                self.model.wanted[call.hold] = call.wanted
                self.made.append(call.hold)
        await self.check()
        for call in calls:
            self.model.explain(call, since)

    async def do(self, command: Any, known: list[str]) -> Call | None:
        match command:
            case "wait", ms:
                await self.org.advance(ms)
                return None
            case "create", slot, length, priority, ttl_ms:
                return await self._create(slot, length, priority, ttl_ms)
            case verb, which:
                return await self._end(verb, known[which % len(known)]) if known else None
            case _:
                raise AssertionError(command)

    async def check(self) -> None:
        """What is listed as a hold is what the model has as live; asking for it has what is due told first."""
        page = await self.org.listed("status=hold&limit=200")
        self.model.follow(await self.org.told())
        listed = {each["id"] for each in page["data"]}
        assert page["total"] == len(listed)
        assert self.model.live() <= listed, "live in the channel and not listed"

    async def _create(self, slot: int, length: int, priority: int, ttl_ms: int) -> Call:
        start_ms = DAY_MS + slot * HOUR_MS
        wanted = Wanted(start_ms, start_ms + length * HOUR_MS, await self.org.now_ms() + ttl_ms + SLACK_MS, priority)
        body = {
            "title": "Hold",
            "status": "hold",
            "start_time": render_time(wanted.start_ms),
            "end_time": render_time(wanted.end_ms),
            "hold_expires_at": render_time(wanted.expires_ms),
            "hold_priority": priority,
        }
        answer = await self.org.ask("POST", f"calendars/{self.org.calendar}/events", body)
        if answer.status_code == 400:
            # The clock was moved past its expiry on its way.
            assert answer.json()["error"]["param"] == "hold_expires_at"
            return await self._create(slot, length, priority, ttl_ms)
        return call_of("create", answer.status_code, answer.content, "", wanted)

    async def _end(self, verb: str, hold: str) -> Call:
        answer = await self.org.ask("PUT", f"events/{hold}/{verb}")
        return call_of(verb, answer.status_code, answer.content, hold, None)


@settings(max_examples=25, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate))
@given(BATCHES)
async def test_concurrent_calls_on_holds_are_told_and_answered_as_one_after_the_other(
    acme: Org, batches: list[list[Any]]
) -> None:
    acme.calendar = (await acme.make_calendar())["id"]
    run = Run(acme)
    for commands in batches:
        await run.batch(commands)
    await acme.advance(400_000)
    await run.check()
    assert run.model.live() == set(), "a hold outlived its time"
    assert all(life.how for life in run.model.lives.values())
