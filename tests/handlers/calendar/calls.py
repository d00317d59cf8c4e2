"""Calls of calendars in tests: a caller with an organisation's key, a clock that jumps, and what the channels told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from broker.api_keys import KeyRequest
from broker.ids import render_time
from tests.broker_server import BrokerServer
from tests.channel_log import whole_log

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
PATIENCE_S = 60.0

Json = dict[str, Any]


@dataclass(slots=True)
class Org:
    """A program of an organisation, or of one of its agents."""

    server: BrokerServer
    tenant: str
    key: str
    calendar: str = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """The answer to a call; a name of a header has `_` for `-`."""
        sent = {"Authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        content = {} if body is None else {"json": body}
        return await self.server.http.request(method, f"/v1/{path}", headers=sent, **content)

    async def good(self, method: str, path: str, body: Any = None, **headers: str) -> Json:
        """What a call answers, which must be a success."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code in (200, 201), answer.text
        found: Json = answer.json()
        return found

    async def refused(self, method: str, path: str, body: Any, status: int, kind: str, code: str = "") -> Json:
        """The error that a call answers, which must be this one."""
        answer = await self.ask(method, path, body)
        assert answer.status_code == status, answer.text
        error: Json = answer.json()["error"]
        assert answer.json().keys() == {"error"} and error["type"] == kind and error["message"], answer.text
        assert error["request_id"] == f"req_{answer.headers['X-Request-Id']}" and "param" in error
        assert error.get("code", "") == code and error["message"].startswith(code), answer.text
        return error

    async def make_calendar(self, **changed: Any) -> Json:
        """A new calendar of the organisation."""
        return await self.good("POST", "calendars", {"name": "Work", "timezone": "Europe/Berlin", **changed})

    async def make_agent(self, **changed: Any) -> Json:
        """A new agent."""
        return await self.good("POST", "agents", {"name": "Ada", "type": "ai", **changed})

    async def now_ms(self) -> int:
        """The engine's time."""
        return await self.server.broker.engine.now_ms()

    async def body(self, start_ms: int = HOUR_MS, length_ms: int = HOUR_MS, **changed: Any) -> Json:
        """A good body for an event that begins in so long."""
        now_ms = await self.now_ms()
        own = {"start_time": render_time(now_ms + start_ms), "end_time": render_time(now_ms + start_ms + length_ms)}
        return {"title": "Sync", **own, **changed}

    async def make(self, start_ms: int = HOUR_MS, length_ms: int = HOUR_MS, **changed: Any) -> Json:
        """A new event."""
        body = await self.body(start_ms, length_ms, **changed)
        return await self.good("POST", f"calendars/{self.calendar}/events", body)

    async def hold_body(
        self, priority: int = 0, ttl_ms: int = MINUTE_MS, start: str = "2030-01-01T10:00:00Z", **changed: Any
    ) -> Json:
        """A good body for a hold of an hour."""
        end = changed.pop("end", start.replace("T10", "T11"))
        expires = render_time(await self.now_ms() + ttl_ms)
        own = {"start_time": start, "end_time": end, "hold_expires_at": expires, "hold_priority": priority}
        return {"title": "Hold", "status": "hold", **own, **changed}

    async def hold(
        self, priority: int = 0, ttl_ms: int = MINUTE_MS, start: str = "2030-01-01T10:00:00Z", **changed: Any
    ) -> Json:
        """A new hold of an hour."""
        body = await self.hold_body(priority, ttl_ms, start, **changed)
        return await self.good("POST", f"calendars/{self.calendar}/events", body)

    async def event(self, event_id: str) -> Json:
        """An event as it is."""
        return await self.good("GET", f"calendars/{self.calendar}/events/{event_id}")

    async def patch(self, event_id: str, **changed: Any) -> Json:
        """An event, changed."""
        return await self.good("PATCH", f"calendars/{self.calendar}/events/{event_id}", changed)

    async def listed(self, query: str = "") -> Json:
        """A page of the calendar's events."""
        return await self.good("GET", f"calendars/{self.calendar}/events?{query}")

    async def advance(self, ms: int) -> None:
        """Let so much time pass at once."""
        headers = self.server.bearer("admin")
        answer = await self.server.http.post("/admin/clock", json={"advance_ms": ms}, headers=headers)
        assert answer.status_code == 200, answer.text

    async def told(self, channel: str = "") -> list[Json]:
        """The events on the calendar's channel so far, or on another one, read with the organisation's own key."""
        own = f"calendar-{self.calendar.removeprefix('cal_')}-{self.tenant}"
        return await whole_log(self.server.http, channel or own, self.key)

    async def story(self, event_id: str = "") -> list[str]:
        """The types that were told of one event, or of all, without `calendar.`."""
        return [
            each["type"].removeprefix("calendar.")
            for each in await self.told()
            if each["data"]["subject"].startswith(event_id or "evt_")
        ]

    async def until_told(self, event_id: str, *types: str) -> None:
        """Wait until this, and nothing else, was told of an event."""

        async def is_so() -> bool:
            return await self.story(event_id) == list(types)

        await until(is_so)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not await is_so():
            await asyncio.sleep(0.02)


async def org_of(server: BrokerServer, tenant: str = "acme", agent: str | None = None) -> Org:
    """A program with a new key of this organisation, or of one of its agents."""
    text, _ = await server.broker.api_keys.create(KeyRequest(tenant, ("calendar",), agent))
    return Org(server, tenant, text)
