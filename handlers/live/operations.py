"""The operations of the live events API, and its messages for the AsyncAPI document."""

from pydantic import BaseModel

from handlers.asyncapi import Message, typed
from handlers.idempotency import IDEMPOTENCY_KEY
from handlers.live import organising, reports, watching
from handlers.live.channel_ids import team_channel_id, watch_channel_id
from handlers.live.errors import render_error
from handlers.live.events import CHANGED, TYPES, Told, WatchTold
from handlers.live.ingest import ingest
from handlers.live.ingest_wire import IngestTold
from handlers.live.models import CreateTaken, GrantConsumed, PasswordVerified, PatchTaken, TokenTaken, TokenVerified
from handlers.live.page import show_embedded_page, show_watch_page
from handlers.live.shown import (
    ConsumedShown,
    CreatedShown,
    DetailShown,
    EventShown,
    FailureShown,
    HealthShown,
    IngestShown,
    KeyShown,
    LimitsShown,
    NewTokenShown,
    PageShown,
    RecordingsShown,
    SessionsShown,
    StatsShown,
    TokensShown,
    VerifiedShown,
    WatchShown,
)
from handlers.model_schemas import schema_of
from handlers.operations import Access, Answer, Handler, Operation, Parameter, Schema

PREFIX = "/v1/live-events"
EVENTS = f"{PREFIX}/events"
EVENT = f"{EVENTS}/{{live_event_id}}"
WATCH = f"{PREFIX}/watch/{{slug}}"
INGEST = f"{PREFIX}/ingest"
ENVELOPES = {PREFIX: render_error}
"""Every error below this path, also those that no call of ours gave, has the body of this API."""

TEAM_PATH = f"/api/v1/channels/{team_channel_id('{tenant}')}/ws"
WATCH_PATH = f"/api/v1/channels/{watch_channel_id('{slug}')}/ws"

_PAGE = (
    Parameter("limit", "20 without.", {"type": "integer", "minimum": 1, "maximum": reports.MOST_LISTED}),
    Parameter("offset", "How many to pass over.", {"type": "integer", "minimum": 0, "maximum": reports.MOST_SKIPPED}),
)
_SECRET = Parameter("secret", "The secret of the hook, where the header X-Ingest-Secret cannot be sent.")


def _operation(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    shown: type[BaseModel] | None,
    *refusals: int,
    body: type[BaseModel] | None = None,
    status: int = 200,
    parameters: tuple[Parameter, ...] = (),
    access: Access = "tenant",
) -> Operation:
    is_write = method != "GET" and access == "tenant"
    return Operation(
        method,
        path,
        handler,
        summary,
        access,
        {status: Answer(summary, schema_of(shown) if shown else None)},
        refusals=(*refusals, *((400, 409) if is_write else ()), *((413,) if body else ()), 503),
        parameters=(*parameters, *((IDEMPOTENCY_KEY,) if is_write else ())),
        body=None if body is None else schema_of(body),
        tag="live events",
        error=schema_of(FailureShown),
    )


def _viewer(method: str, path: str, handler: Handler, summary: str, shown: type[BaseModel], *refusals: int,
            body: type[BaseModel] | None = None) -> Operation:  # fmt: skip
    return _operation(method, path, handler, summary, shown, *refusals, body=body, access="none")


PAGES = tuple(
    Operation("GET", path, handler, summary, "none", {200: Answer("The page", None, "text/html")}, tag="live events")
    for path, handler, summary in (
        ("/watch/{slug}", show_watch_page, "The watch page"),
        ("/embed/{slug}", show_embedded_page, "The watch page, to be framed"),
    )
)
OPERATIONS = (
    _viewer("GET", WATCH, watching.watch, "What there is to see now", WatchShown, 404),
    _viewer("POST", f"{WATCH}/verify-password", watching.verify_password, "Prove to know the password", VerifiedShown,
            400, 403, 404, body=PasswordVerified),
    _viewer("POST", f"{WATCH}/verify-token", watching.verify_token, "Prove to have a watch token", VerifiedShown,
            400, 403, 404, body=TokenVerified),
    _viewer("POST", f"{WATCH}/consume-grant", watching.consume_grant, "Use a grant up as playback starts",
            ConsumedShown, 400, 403, 404, body=GrantConsumed),
    _operation("GET", EVENTS, reports.list_live_events, "List live events", PageShown, 400, parameters=_PAGE),
    _operation("POST", EVENTS, organising.create_live_event, "Create a live event", CreatedShown, body=CreateTaken,
               status=201),
    _operation("GET", EVENT, reports.show_live_event, "Read a live event", DetailShown, 404),
    _operation("PATCH", EVENT, organising.update_live_event, "Change a live event", EventShown, 404, body=PatchTaken),
    _operation("DELETE", EVENT, organising.delete_live_event, "Delete a live event", None, 404, status=204),
    _operation("POST", f"{EVENT}/rehearsal/start", organising.start_rehearsal, "Rehearse", EventShown, 404),
    _operation("POST", f"{EVENT}/live/start", organising.start_live, "Go live", EventShown, 404),
    _operation("POST", f"{EVENT}/live/stop", organising.stop_live, "Stop", EventShown, 404),
    _operation("POST", f"{EVENT}/stream-key/rotate", organising.rotate_stream_key, "Give a new stream key", KeyShown,
               404),
    _operation("GET", f"{EVENT}/recordings", reports.list_recordings, "List recordings", RecordingsShown, 404),
    _operation("POST", f"{EVENT}/tokens", organising.create_watch_token, "Make a watch token", NewTokenShown, 404,
               body=TokenTaken, status=201),
    _operation("GET", f"{EVENT}/tokens", reports.list_watch_tokens, "List watch tokens", TokensShown, 404),
    _operation("GET", f"{EVENT}/stats", reports.show_stats, "Figures over all sessions", StatsShown, 404),
    _operation("GET", f"{EVENT}/ingest", reports.show_ingest, "Where an encoder streams to", IngestShown, 404),
    _operation("GET", f"{EVENT}/health", reports.show_health, "Whether there is a signal", HealthShown, 404),
    _operation("GET", f"{EVENT}/sessions", reports.list_sessions, "List sessions", SessionsShown, 404),
    _operation("GET", f"{PREFIX}/limits", reports.show_limits, "What the plan allows", LimitsShown),
    _operation("POST", INGEST, ingest, "What a media server tells", None, 400, 401, 403, 404, body=IngestTold,
               parameters=(_SECRET,), access="none"),
)  # fmt: skip


def team_messages(frame: Schema) -> tuple[Message, ...]:
    """The typed events of a tenant's channel; `frame` is the schema of any channel's event."""
    return tuple(typed(frame, name, summary, schema_of(Told)) for name, summary in TYPES.items())


def watch_messages(frame: Schema) -> tuple[Message, ...]:
    """The typed event of what viewers see."""
    return (typed(frame, CHANGED, "What viewers see has changed", schema_of(WatchTold)),)
