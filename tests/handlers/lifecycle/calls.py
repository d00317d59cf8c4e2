"""Calls of the lifecycle API in tests: a caller with a tenant's key, and the seed's bodies."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx2

from broker.api_keys import KeyRequest
from tests.broker_server import BrokerServer
from tests.channel_log import whole_log

SERVICE = "/event.events.private.v1.Service"
ID = "c2ed3890-716d-4380-a597-d860ecacada0"
OTHER = "0192aaaa-716d-4380-a597-d860ecacada1"
UNKNOWN = "7b1f2f2e-0000-4000-8000-000000000001"
EARLIEST_NS = 10**17

Json = dict[str, Any]


def plan(event_id: str | None = ID, **changed: Any) -> Json:
    """An argument of Create, the seed's but for what is changed; a member that is changed to `...` is left out."""
    argument = {
        "id": event_id,
        "kind": "KindIndependent",
        "metadata": {"title": "Launch AMA"},
        "schedule": "ScheduleUnplanned",
        "broadcast": {"orientation": "BroadcastOrientationHorizontal"},
        **changed,
    }
    return {name: value for name, value in argument.items() if value is not ... and (name, value) != ("id", None)}


def fresh(count: int) -> list[str]:
    """New ids."""
    return [str(uuid.uuid4()) for _ in range(count)]


def query(*ids: str) -> Json:
    """A body that means these events."""
    return {"arguments": [{"query": {"conditions": [{"ids": list(ids)}]}}]}


@dataclass(slots=True)
class Caller:
    """A program of a tenant."""

    server: BrokerServer
    tenant: str
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, body: Any, **headers: str) -> httpx2.Response:
        """The answer to a call; a name of a header has `_` for `-`."""
        sent = {
            "Authorization": f"Bearer {self.key}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        return await self.server.http.post(f"{SERVICE}/{method}", json=body, headers=sent)

    async def good(self, method: str, body: Any, **headers: str) -> list[Json]:
        """The events that a call answers, which must be a success."""
        answer = await self.ask(method, body, **headers)
        assert answer.status_code == 200, answer.text
        events: list[Json] = answer.json()["events"]
        return events

    async def refused(self, method: str, body: Any, status: int, code: str, **headers: str) -> Json:
        """The error that a call answers, which must be this one."""
        answer = await self.ask(method, body, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["Content-Type"] == "application/json"
        error: Json = answer.json()
        assert error.keys() == {"code", "message", "details"} and error["message"]
        return error

    async def create(self, *ids: str, **changed: Any) -> list[Json]:
        """New events, the seed's but for these."""
        return await self.good("Create", {"arguments": [plan(each, **changed) for each in ids]})

    async def told(self) -> list[Json]:
        """The events on the tenant's channel so far, read with the tenant's own key."""
        return await whole_log(self.server.http, f"lifecycle-team-{self.tenant}", self.key)


async def caller_of(server: BrokerServer, tenant: str = "acme", *scopes: str) -> Caller:
    """A program with a new key of this tenant."""
    text, _ = await server.broker.api_keys.create(KeyRequest(tenant, scopes or ("lifecycle",)))
    return Caller(server, tenant, text)
