"""What every route must ask of its caller: one line a route. A route without a line fails `test_access_matrix.py`.

To add a route, add its line to `ROWS`: the access that the contract gives it (written here once more, so that a slip in
the operations table shows), a good body where it takes one, and the path parameter to `PLACES` (`access_cells.py`)
where it is a new kind. What each credential gets then follows from the access (`EXPECTED` in `access_credentials.py`);
`but` names exceptions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.operations import Access
from tests.handlers.access_cells import (
    AGENT,
    CALENDAR,
    CALENDAR_EVENT,
    CALENDAR_WEBHOOK,
    CUEY_CRON,
    CUEY_EVENT,
    LIVE_EVENT,
    Cell,
)
from tests.handlers.access_credentials import KEYS, OK, STRANGER, UNVERIFIED


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


CHANNEL = "/api/v1/channels/{channel_id}"
CALENDAR_ROW = {"lifecycle key": 403, "calendar key": OK}


def _on_calendars(body: Callable[[Cell], Any] | None = None, status: int | None = None) -> Row:
    return Row("tenant", body, status, but=CALENDAR_ROW)


LIVE = {"lifecycle key": 403, "live key": OK}


def _live(body: Callable[[Cell], Any] | None = None, status: int | None = None) -> Row:
    return Row("tenant", body, status, but=LIVE)


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
    # What is there is no hold.
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
