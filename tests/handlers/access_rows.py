"""What every route must ask of its caller: one line a route. A route without a line fails `test_access_matrix.py`.

To add a route, add its line to `ROWS`: the access that the contract gives it (written here once more, so that a slip in
the operations table shows), a good body where it takes one, and the path parameter to `PLACES` where it is a new kind.
What each credential gets then follows from the access (`EXPECTED`); `but` names exceptions.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.api_keys import KeyRequest
from broker.ids import render_time
from broker.tokens import MintRequest, mint
from handlers.operations import Access
from tests.broker.forge import Key, forge, key_of
from tests.broker_server import BrokerServer

OK = 200
"""The route lets the caller in: its success, whatever its number."""

ME = "me"
PARTNER = key_of("partner", 3)
STRANGER = key_of("stranger", 4)


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


@dataclass(frozen=True)
class Row:
    """The access of a route. `body` gives one that is good; `status` is its success, else the first of its answers.

    `but` names exceptions on a private channel, `but_public` on a public one, `but_absent` on one that is not there.
    """

    access: Access
    body: Callable[[Cell], Any] | None = None
    status: int | None = None
    but: Mapping[str, int] = field(default_factory=dict)
    but_public: Mapping[str, int] = field(default_factory=dict)
    but_absent: Mapping[str, int] = field(default_factory=dict)


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

CHANNEL = "/api/v1/channels/{channel_id}"
UNVERIFIED = (
    "garbage",
    "another scheme",
    "expired",
    "a stranger's key under our kid",
    "the broker's own name",
    "partner over its ceiling",
    "garbage before admin in the query",
)
"""The credentials of `CREDENTIALS` that are there and do not verify."""

AGENT = {"name": "Ada", "type": "ai"}
CALENDAR = {"name": "Work", "timezone": "UTC"}
CALENDAR_EVENT = {"title": "t", "start_time": "2099-01-01T10:00:00Z", "end_time": "2099-01-01T11:00:00Z"}
CALENDAR_WEBHOOK = {"url": "https://hooks.example.com/x", "events": ["event.created"]}
CALENDAR_ROW = {"lifecycle key": 403, "calendar key": OK}


def _on_calendars(body: Callable[[Cell], Any] | None = None, status: int | None = None) -> Row:
    return Row("tenant", body, status, but=CALENDAR_ROW)


TENANT = "acme"
KEYS = {"lifecycle key": "lifecycle", "cuey key": "cuey", "live key": "live", "calendar key": "calendar"}
"""The credentials of `CREDENTIALS` that are a tenant's API keys, and their scopes."""

LIVE_EVENT = {"name": "Town hall", "visibility_mode": "token"}
LIVE = {"lifecycle key": 403, "live key": OK}


def _live(body: Callable[[Cell], Any] | None = None, status: int | None = None) -> Row:
    return Row("tenant", body, status, but=LIVE)


CUEY_EVENT = {"webhook_url": "https://hooks.example.com/x", "scheduled_at": "2099-01-01T00:00:00Z"}
CUEY_CRON = {"webhook_url": "https://hooks.example.com/x", "cron_expression": "0 0 1 1 *"}
# Its clients know no 403.
CUEY = {
    **dict.fromkeys(("no scope", "another channel", "pub", "sub", "metrics", "partner", "admin", *KEYS), 401),
    "cuey key": OK,
}

_NO_READERS = dict.fromkeys(("no scope", "another channel", "pub", "metrics", *KEYS), 403)
SERVICE = "POST /event.events.private.v1.Service"
UNKNOWN = {"arguments": [{"query": {"conditions": [{"ids": ["7b1f2f2e-0000-4000-8000-000000000001"]}]}}]}

# What a webhook's owner may do, and others not.
FOREIGN, ABSENT = dict.fromkeys(("partner", *KEYS), 403), dict.fromkeys(("partner", *KEYS), 404)

ROWS: dict[str, Row] = {
    # For programs, which do not ask for HTML, there is nothing.
    "GET /": Row("none", status=404),
    "GET /healthz": Row("none"),
    "GET /readyz": Row("none"),
    "GET /openapi.json": Row("none"),
    "GET /docs": Row("none"),
    "GET /asyncapi.json": Row("none"),
    "GET /api/v1/ws": Row("none", status=426),
    # Whose a socket is that follows nothing yet: anybody's, but a credential must be good.
    "WS /api/v1/ws": Row("optional", but=dict.fromkeys(UNVERIFIED, 401), but_public=dict.fromkeys(UNVERIFIED, 401)),
    "GET /metrics": Row("metrics"),
    "GET /admin/timers": Row("admin"),
    "GET /admin/keys": Row("admin"),
    "POST /admin/keys": Row("admin", lambda _: {"tenant": "acme", "scopes": ["cuey"]}),
    "DELETE /admin/keys/{key_id}": Row("admin"),
    "POST /admin/clock": Row("admin", lambda _: {"advance_ms": 0}),
    f"{SERVICE}/Create": Row(
        "tenant",
        lambda _: {
            "arguments": [{"kind": 1, "schedule": 2, "broadcast": {"orientation": 1}}],
        },
    ),
    # Who is let in is told that there is no such event.
    **{f"{SERVICE}/{call}": Row("tenant", lambda _: UNKNOWN, 404) for call in ("Start", "Finish", "Cancel", "Select")},
    "POST /v1/agents": _on_calendars(lambda _: AGENT),
    "GET /v1/agents": _on_calendars(),
    "GET /v1/agents/{agent_id}": _on_calendars(),
    "POST /v1/agents/{agent_id}/calendars": _on_calendars(lambda _: CALENDAR),
    "GET /v1/agents/{agent_id}/calendars": _on_calendars(),
    "GET /v1/agents/{agent_id}/events": _on_calendars(),
    # Without a range of time.
    "GET /v1/agents/{agent_id}/availability": _on_calendars(status=400),
    "POST /v1/calendars": _on_calendars(lambda _: CALENDAR),
    "GET /v1/calendars": _on_calendars(),
    "GET /v1/calendars/{calendar_id}": _on_calendars(),
    "PATCH /v1/calendars/{calendar_id}": _on_calendars(lambda _: {"name": "y"}),
    "DELETE /v1/calendars/{calendar_id}": _on_calendars(),
    "GET /v1/calendars/{calendar_id}/availability": _on_calendars(status=400),
    "POST /v1/calendars/{calendar_id}/events": _on_calendars(lambda _: CALENDAR_EVENT),
    "GET /v1/calendars/{calendar_id}/events": _on_calendars(),
    **{
        f"{method} {path}/{{calendar_event_id}}": _on_calendars(
            (lambda _: {"title": "y"}) if method == "PATCH" else None
        )
        for method in ("GET", "PATCH", "DELETE")
        for path in ("/v1/events", "/v1/calendars/{calendar_id}/events")
    },
    "POST /v1/webhooks": _on_calendars(lambda _: CALENDAR_WEBHOOK),
    "GET /v1/webhooks": _on_calendars(),
    "GET /v1/webhooks/{calendar_webhook_id}": _on_calendars(),
    "PATCH /v1/webhooks/{calendar_webhook_id}": _on_calendars(lambda _: {"active": True}),
    "DELETE /v1/webhooks/{calendar_webhook_id}": _on_calendars(),
    "GET /v1/webhooks/{calendar_webhook_id}/deliveries": _on_calendars(),
    "POST /v1/webhooks/{calendar_webhook_id}/replay": _on_calendars(lambda _: {"cursor": "0" * 26}),
    # What is there is no hold.
    "POST /v1/calendars/{calendar_id}/ical/rotate": _on_calendars(),
    "GET /ical/{token}.ics": Row("none"),
    # Of a calendar that the agent in the path does not own.
    "POST /v1/agents/{agent_id}/ical-subscriptions": _on_calendars(
        lambda _: {"calendar_id": "cal_x", "url": "https://feeds.example.com/a.ics"}, status=404
    ),
    "GET /v1/agents/{agent_id}/ical-subscriptions": _on_calendars(),
    "GET /v1/ical-subscriptions/{subscription_id}": _on_calendars(),
    "PATCH /v1/ical-subscriptions/{subscription_id}": _on_calendars(lambda _: {"label": "x"}),
    "DELETE /v1/ical-subscriptions/{subscription_id}": _on_calendars(),
    "POST /v1/ical-subscriptions/{subscription_id}/sync": _on_calendars(),
    "PUT /v1/events/{calendar_event_id}/confirm": _on_calendars(status=409),
    "PUT /v1/events/{calendar_event_id}/release": _on_calendars(status=409),
    "GET /v1/live-events/watch/{slug}": Row("none"),
    "GET /watch/{slug}": Row("none"),
    "GET /embed/{slug}": Row("none"),
    # What a viewer sends is judged by what it is, and not by who sends it.
    "POST /v1/live-events/watch/{slug}/verify-password": Row("none", lambda _: {"password": "x"}, 400),
    "POST /v1/live-events/watch/{slug}/verify-token": Row("none", lambda _: {"token": "x"}, 403),
    "POST /v1/live-events/watch/{slug}/consume-grant": Row("none", lambda _: {"access_grant": "x"}, 403),
    "POST /v1/live-events/ingest": Row("none", status=404),
    "GET /v1/live-events/events": _live(),
    "POST /v1/live-events/events": _live(lambda _: LIVE_EVENT),
    "GET /v1/live-events/limits": _live(),
    "GET /v1/live-events/events/{live_event_id}": _live(),
    "PATCH /v1/live-events/events/{live_event_id}": _live(lambda _: {"name": "y"}),
    "DELETE /v1/live-events/events/{live_event_id}": _live(),
    "POST /v1/live-events/events/{live_event_id}/rehearsal/start": _live(),
    "POST /v1/live-events/events/{live_event_id}/live/start": _live(),
    "POST /v1/live-events/events/{live_event_id}/live/stop": _live(status=409),
    "POST /v1/live-events/events/{live_event_id}/stream-key/rotate": _live(),
    "POST /v1/live-events/events/{live_event_id}/tokens": _live(lambda _: {"label": "press"}),
    **{
        f"GET /v1/live-events/events/{{live_event_id}}/{name}": _live()
        for name in ("recordings", "tokens", "stats", "ingest", "health", "sessions")
    },
    "POST /api/v1/events": Row("tenant", lambda _: CUEY_EVENT, but=CUEY),
    "GET /api/v1/events": Row("tenant", but=CUEY),
    "GET /api/v1/events/{cuey_event_id}": Row("tenant", but=CUEY),
    "PUT /api/v1/events/{cuey_event_id}": Row("tenant", lambda _: CUEY_EVENT, but=CUEY),
    "DELETE /api/v1/events/{cuey_event_id}": Row("tenant", but=CUEY),
    "POST /api/v1/crons": Row("tenant", lambda _: CUEY_CRON, but=CUEY),
    "GET /api/v1/crons": Row("tenant", but=CUEY),
    "GET /api/v1/crons/{cron_id}": Row("tenant", but=CUEY),
    "PUT /api/v1/crons/{cron_id}": Row("tenant", lambda _: CUEY_CRON, but=CUEY),
    "DELETE /api/v1/crons/{cron_id}": Row("tenant", but=CUEY),
    "GET /api/v1": Row("none"),
    "GET /api/v1/roles": Row("admin"),
    "GET /api/v1/tenant": Row("tenant", but=dict.fromkeys(KEYS, OK)),
    "GET /api/v1/channels": Row("optional"),
    "POST /api/v1/channels": Row("admin", lambda cell: {"id": f"new-{cell.channel_id}", "name": "n"}),
    f"GET {CHANNEL}": Row("read"),
    f"GET {CHANNEL}/presence": Row(
        "token",
        but={**_NO_READERS, "admin in the query": OK},
        but_absent=dict.fromkeys(("none", *UNVERIFIED, *_NO_READERS), 404),
    ),
    f"DELETE {CHANNEL}": Row("admin"),
    f"PATCH {CHANNEL}": Row("admin", lambda _: {"name": "n"}),
    f"PATCH {CHANNEL}/meta": Row("admin", lambda _: {"a": 1}),
    f"POST {CHANNEL}/events": Row("publish", lambda _: {"data": 1}),
    f"GET {CHANNEL}/scheduled": Row("publish"),
    f"DELETE {CHANNEL}/scheduled": Row("publish"),
    f"GET {CHANNEL}/scheduled/{{scheduled_id}}": Row("publish"),
    f"DELETE {CHANNEL}/scheduled/{{scheduled_id}}": Row("publish"),
    f"GET {CHANNEL}/events": Row("read"),
    f"GET {CHANNEL}/events/{{event_id}}": Row("read"),
    f"GET {CHANNEL}/history": Row("read"),
    f"DELETE {CHANNEL}/events/{{event_id}}": Row("publish"),
    f"GET {CHANNEL}/events/{{event_id}}/replies": Row("read"),
    f"GET {CHANNEL}/events/{{event_id}}/thread": Row("read"),
    f"GET {CHANNEL}/sse": Row("read"),
    f"GET {CHANNEL}/ws": Row("none", status=426),
    f"WS {CHANNEL}/ws": Row("read"),
    "GET /api/v1/opml": Row("none"),
    f"GET {CHANNEL}/rss": Row("read"),
    f"GET {CHANNEL}/feed.json": Row("read"),
    # A credential that comes with a registration is to own it, so a bad one is refused on public channels too.
    f"POST {CHANNEL}/webhooks": Row(
        "read", lambda _: {"url": "https://hooks.example.com/x"}, but_public=dict.fromkeys(UNVERIFIED, 401)
    ),
    f"GET {CHANNEL}/webhooks": Row(
        "token",
        but={**_NO_READERS, "admin in the query": OK},
        but_absent=dict.fromkeys(("none", *UNVERIFIED, *_NO_READERS), 404),
    ),
    f"DELETE {CHANNEL}/webhooks/{{webhook_id}}": Row("token", but=FOREIGN, but_absent=ABSENT),
    f"GET {CHANNEL}/webhooks/{{webhook_id}}": Row("token", but=FOREIGN, but_absent=ABSENT),
    f"GET {CHANNEL}/webhooks/{{webhook_id}}/deliveries": Row("token", but=FOREIGN, but_absent=ABSENT),
    f"POST {CHANNEL}/webhooks/{{webhook_id}}/resume": Row("token", but=FOREIGN, but_absent=ABSENT),
    f"POST {CHANNEL}/webhooks/{{webhook_id}}/replay": Row(
        "token", lambda _: {"since": "2026-01-01T00:00:00Z"}, but=FOREIGN, but_absent=ABSENT
    ),
    "POST /api/v1/tokens": Row("admin", lambda cell: {"scopes": [f"sub:{cell.channel_id}"]}),
    "GET /api/v1/tokens/claims": Row("token", but=dict.fromkeys(KEYS, 401)),
    "GET /api/v1/keys": Row("admin"),
    "POST /api/v1/keys": Row("admin", lambda cell: {"kid": f"new-of-{cell.channel_id}", "x": STRANGER.x}),
    "DELETE /api/v1/keys/{kid}": Row("admin"),
    "GET /api/v1/server": Row("none"),
    "PUT /api/v1/server": Row("admin", lambda cell: {"name": cell.channel_id}),
    "GET /.well-known/zooid.json": Row("none"),
    "GET /.well-known/jwks.json": Row("none"),
    "POST /api/v1/directory/claim": Row("admin", lambda cell: {"channels": [cell.channel_id]}),
}


@dataclass(frozen=True)
class Credential:
    """What a request carries to say who sends it."""

    header: str | None = None
    query_token: str | None = None


def _bearer(token: str) -> Credential:
    return Credential(f"Bearer {token}")


def _expired(cell: Cell) -> Credential:
    key, request = cell.server.signing_key, MintRequest(("admin",), sub=ME, expires_in_s=60)
    return _bearer(mint(request, key, now_s=time.time() - 61, audience=None))


CREDENTIALS: dict[str, Callable[[Cell], Credential]] = {
    "none": lambda _: Credential(),
    "garbage": lambda _: _bearer("x.y.z"),
    "another scheme": lambda _: Credential("Basic YWRtaW46YWRtaW4="),
    "expired": _expired,
    "a stranger's key under our kid": lambda cell: _bearer(
        forge({"scopes": ["admin"]}, STRANGER, kid=cell.server.signing_key.kid)
    ),
    "the broker's own name": lambda cell: _bearer(cell.own("admin", sub="system-auth")),
    "no scope": lambda cell: _bearer(cell.own()),
    "another channel": lambda cell: _bearer(cell.own(f"pub:{cell.channel_id}-x", f"sub:{cell.channel_id}-x")),
    "pub": lambda cell: _bearer(cell.own(f"pub:{cell.channel_id}")),
    "sub": lambda cell: _bearer(cell.own(f"sub:{cell.channel_id}")),
    "metrics": lambda cell: _bearer(cell.own("metrics")),
    "admin": lambda cell: _bearer(cell.own("admin")),
    "partner": lambda cell: _bearer(forge({"scopes": [f"sub:{cell.channel_id}"], "sub": ME}, PARTNER)),
    "partner over its ceiling": lambda _: _bearer(forge({"scopes": ["admin"], "sub": ME}, PARTNER)),
    "admin in the query": lambda cell: Credential(query_token=cell.own("admin")),
    "garbage before admin in the query": lambda cell: Credential("Bearer x.y.z", cell.own("admin")),
    "lifecycle key": lambda cell: _bearer(cell.keys["lifecycle key"]),
    "live key": lambda cell: _bearer(cell.keys["live key"]),
    "calendar key": lambda cell: _bearer(cell.keys["calendar key"]),
    "cuey key": lambda cell: _bearer(cell.keys["cuey key"]),
}

_BAD = dict.fromkeys(CREDENTIALS, 401)
_ALL = dict.fromkeys(CREDENTIALS, OK)
_KNOWN = dict.fromkeys(("no scope", "another channel", "pub", "sub", "metrics", "partner", *KEYS), 403)

EXPECTED: dict[Access, dict[str, int]] = {
    "none": _ALL,
    "optional": _ALL,
    "read": _BAD | _KNOWN | dict.fromkeys(("sub", "admin", "partner", "admin in the query"), OK),
    "publish": _BAD | _KNOWN | dict.fromkeys(("pub", "admin"), OK),
    "token": _BAD | dict.fromkeys((*_KNOWN, "admin"), OK),
    "metrics": _BAD | _KNOWN | {"metrics": OK, "admin": OK},
    "admin": _BAD | _KNOWN | {"admin": OK},
    "tenant": _BAD | _KNOWN | {"admin": 403, "lifecycle key": OK},
}
"""What each credential gets by the access of the route, for a private channel. A token in the query only reads."""
