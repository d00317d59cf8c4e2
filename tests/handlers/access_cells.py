"""What a request of the access matrix is about: a channel of its own, and something that is there for its path."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.api_keys import KeyRequest
from broker.ids import render_time
from tests.broker.forge import Key, forge, key_of
from tests.broker_server import BrokerServer

ME = "me"
AGENT = {"name": "Ada", "type": "ai"}
CALENDAR = {"name": "Work", "timezone": "UTC"}
CALENDAR_EVENT = {"title": "t", "start_time": "2099-01-01T10:00:00Z", "end_time": "2099-01-01T11:00:00Z"}
CALENDAR_WEBHOOK = {"url": "https://hooks.example.com/x", "events": ["event.created"]}
CUEY_EVENT = {"webhook_url": "https://hooks.example.com/x", "scheduled_at": "2099-01-01T00:00:00Z"}
CUEY_CRON = {"webhook_url": "https://hooks.example.com/x", "cron_expression": "0 0 1 1 *"}
LIVE_EVENT = {"name": "Town hall", "visibility_mode": "token"}


@dataclass(frozen=True)
class Cell:
    """What one request of the matrix is made of: nothing in it was there before, so no request disturbs another."""

    server: BrokerServer
    channel_id: str
    keys: Mapping[str, str]
    made: dict[str, str] = field(default_factory=dict)

    def own(self, *scopes: str, sub: str = ME) -> str:
        """A token of the server's own key, forged where it would not be minted."""
        key = self.server.signing_key
        return forge({"scopes": scopes, "sub": sub}, Key(key.kid, key.private_key))


async def _event(cell: Cell) -> str:
    headers = cell.server.bearer("admin", sub=ME)
    path = f"/api/v1/channels/{cell.channel_id}/events"
    event_id: str = (await cell.server.http.post(path, json={"data": 1}, headers=headers)).json()["id"]
    return event_id


async def _kid(cell: Cell) -> str:
    key = key_of(f"key-of-{cell.channel_id}", 5)
    document = await cell.server.broker.trust.document()
    for row in document:
        if row["kid"].startswith("key-of-"):
            await cell.server.distrust(row["kid"])
    return str((await cell.server.trust(key))["kid"])


async def _api_key(cell: Cell) -> str:
    return (await cell.server.broker.api_keys.create(KeyRequest("acme", ("cuey",))))[1].id


async def _channel(cell: Cell) -> str:
    return cell.channel_id


async def _webhook(cell: Cell) -> str:
    headers = {"Authorization": f"Bearer {cell.own(f'sub:{cell.channel_id}')}"}
    path = f"/api/v1/channels/{cell.channel_id}/webhooks"
    body = {"url": "https://hooks.example.com/x"}
    return str((await cell.server.http.post(path, json=body, headers=headers)).json()["id"])


async def _cuey_event(cell: Cell) -> str:
    return await _made_by_cuey(cell, "events", CUEY_EVENT)


async def _cron(cell: Cell) -> str:
    return await _made_by_cuey(cell, "crons", CUEY_CRON)


async def _made_by_cuey(cell: Cell, kind: str, body: Any) -> str:
    headers = {"Authorization": f"Bearer {cell.keys['cuey key']}"}
    answer = await cell.server.http.post(f"/api/v1/{kind}", json=body, headers=headers)
    return str(answer.json()["data"]["id"])


async def _live_event(cell: Cell) -> str:
    return str((await _made_live(cell))["event_id"])


async def _slug(cell: Cell) -> str:
    return str((await _made_live(cell))["slug"])


async def _made_live(cell: Cell) -> Any:
    headers = {"Authorization": f"Bearer {cell.keys['live key']}"}
    return (await cell.server.http.post("/v1/live-events/events", json=LIVE_EVENT, headers=headers)).json()


async def _scheduled(cell: Cell) -> str:
    # Of the very publisher who asks with the right "pub"; an admin sees all.
    headers = {"Authorization": f"Bearer {cell.own(f'pub:{cell.channel_id}')}"}
    path = f"/api/v1/channels/{cell.channel_id}/events"
    body = {"data": 1, "publish_at": render_time(await cell.server.broker.engine.now_ms() + 3_600_000)}
    return str((await cell.server.http.post(path, json=body, headers=headers)).json()["scheduled"]["id"])


async def _agent(cell: Cell) -> str:
    return await _made_by_calendar(cell, "agents", AGENT)


async def _calendar(cell: Cell) -> str:
    if "calendar" not in cell.made:
        cell.made["calendar"] = await _made_by_calendar(cell, "calendars", CALENDAR)
    return cell.made["calendar"]


async def _calendar_event(cell: Cell) -> str:
    path = f"calendars/{await _calendar(cell)}/events"
    return await _made_by_calendar(cell, path, CALENDAR_EVENT)


async def _feed_token(cell: Cell) -> str:
    headers = {"Authorization": f"Bearer {cell.keys['calendar key']}"}
    answer = await cell.server.http.get(f"/v1/calendars/{await _calendar(cell)}", headers=headers)
    return str(answer.json()["ical_url"]).rpartition("/")[2].removesuffix(".ics")


async def _subscription(cell: Cell) -> str:
    agent = await _agent(cell)
    calendar = await _made_by_calendar(cell, f"agents/{agent}/calendars", CALENDAR)
    body = {"calendar_id": calendar, "url": "https://feeds.example.com/a.ics"}
    return await _made_by_calendar(cell, f"agents/{agent}/ical-subscriptions", body)


async def _made_by_calendar(cell: Cell, path: str, body: Any) -> str:
    headers = {"Authorization": f"Bearer {cell.keys['calendar key']}"}
    return str((await cell.server.http.post(f"/v1/{path}", json=body, headers=headers)).json()["id"])


async def _calendar_webhook(cell: Cell) -> str:
    return await _made_by_calendar(cell, "webhooks", CALENDAR_WEBHOOK)


PLACES: dict[str, Callable[[Cell], Awaitable[str]]] = {
    "agent_id": _agent,
    "calendar_event_id": _calendar_event,
    "calendar_id": _calendar,
    "calendar_webhook_id": _calendar_webhook,
    "channel_id": _channel,
    "cron_id": _cron,
    "cuey_event_id": _cuey_event,
    "live_event_id": _live_event,
    "slug": _slug,
    "token": _feed_token,
    "event_id": _event,
    "key_id": _api_key,
    "kid": _kid,
    "scheduled_id": _scheduled,
    "subscription_id": _subscription,
    "webhook_id": _webhook,
}
"""What stands in a path, by the name of its parameter: something that is there, and belongs to the cell."""
