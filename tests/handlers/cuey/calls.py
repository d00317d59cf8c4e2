"""Calls of cuey in tests: a caller with a team's key, a clock that jumps, and what the channel told."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2

from broker.api_keys import KeyRequest
from broker.ids import render_time
from tests.broker_server import BrokerServer
from tests.channel_log import whole_log

UNKNOWN = "7b1f2f2e-0000-4000-8000-000000000001"
HOUR_MS = 3_600_000
PATIENCE_S = 30.0

Json = dict[str, Any]


@dataclass(slots=True)
class Team:
    """A program of a team."""

    server: BrokerServer
    tenant: str
    key: str
    url: str = "https://hooks.example.com/x"

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """The answer to a call; a name of a header has `_` for `-`."""
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        content = {} if body is None else {"json": body}
        return await self.server.http.request(method, f"/api/v1/{path}", headers=sent, **content)

    async def good(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The `data` that a call answers, which must be a success."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["data"]

    async def refused(self, method: str, path: str, body: Any, status: int, code: str, **headers: str) -> Json:
        """The error that a call answers, which must be this one."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code == status, answer.text
        error: Json = answer.json()["error"]
        assert answer.json().keys() == {"error"} and error["code"] == code and error["message"], answer.text
        return error

    async def in_ms(self, ms: int) -> str:
        """A time so far ahead by the engine's clock."""
        return render_time(await self.server.broker.engine.now_ms() + ms)

    async def asked(self, ms: int = HOUR_MS, **changed: Any) -> Json:
        """A good body for an event, due in so long."""
        return {"webhook_url": self.url, "scheduled_at": await self.in_ms(ms), **changed}

    async def schedule(self, ms: int = HOUR_MS, **changed: Any) -> Json:
        """A new event, due in so long."""
        made: Json = await self.good("POST", "events", await self.asked(ms, **changed))
        return made

    async def repeat(self, expression: str = "0 * * * *", **changed: Any) -> Json:
        """A new cron."""
        body = {"webhook_url": self.url, "cron_expression": expression, **changed}
        made: Json = await self.good("POST", "crons", body)
        return made

    async def event(self, event_id: str) -> Json:
        """An event as it is."""
        found: Json = await self.good("GET", f"events/{event_id}")
        return found

    async def listed(self, query: str = "limit=1000") -> list[Json]:
        """Events of a list."""
        found: list[Json] = await self.good("GET", f"events?{query}")
        return found

    async def until(self, event_id: str, *statuses: str) -> Json:
        """The event, once it is in one of these."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.event(event_id))["status"] not in statuses:
                await asyncio.sleep(0.01)
        return found

    async def advance(self, ms: int = HOUR_MS) -> None:
        """Let so much time pass at once."""
        headers = self.server.bearer("admin")
        answer = await self.server.http.post("/admin/clock", json={"advance_ms": ms}, headers=headers)
        assert answer.status_code == 200, answer.text

    async def told(self) -> list[Json]:
        """The events on the team's channel so far, read with the team's own key."""
        return await whole_log(self.server.http, f"cuey-team-{self.tenant}", self.key)

    async def story(self, event_id: str) -> list[str]:
        """What was told of one event, without `cuey.event.`."""
        return [
            each["type"].removeprefix("cuey.event.")
            for each in await self.told()
            if each["data"]["subject"] == event_id
        ]


async def team_of(server: BrokerServer, tenant: str = "acme", *scopes: str) -> Team:
    """A program with a new key of this team."""
    text, _ = await server.broker.api_keys.create(KeyRequest(tenant, scopes or ("cuey",)))
    return Team(server, tenant, text)
