"""What organisers read: events, recordings, sessions, tokens, figures and limits (contract section 1).

`Tidemark-Channel` and `Tidemark-Cursor` say from where to follow what happens next: the state and the cursor are of one
moment.
"""

from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from broker.storage.state import Tail
from handlers.auth import Tenancy
from handlers.broker import broker_of
from handlers.idempotency import state_answer
from handlers.live.callers import tenancy
from handlers.live.decisions import found_event
from handlers.live.documents import (
    EVENT,
    MOST_TOKENS,
    TOKEN,
    WatchToken,
    event_key,
    events_index,
    parse_event,
    parse_token,
    tokens_index,
)
from handlers.live.events import team_channel
from handlers.live.live_event import MOST_SESSIONS, LiveEvent
from handlers.live.machine import Status
from handlers.live.organising import event_id_of
from handlers.live.wire import (
    render_detail,
    render_event,
    render_ingest,
    render_recording,
    render_session,
    render_token,
    time_or_none,
)
from handlers.requests import query_number

MOST_LISTED = 100
MOST_SKIPPED = 1_000_000


class Report(NamedTuple):
    """An event as it was at `now_ms`, and where to follow it from."""

    caller: Tenancy
    event: LiveEvent
    now_ms: int
    tail: Tail | None

    def answer(self, value: Any) -> Response:
        """The answer that tells this of it."""
        return state_answer(value, self.tail)


async def list_live_events(request: Request) -> Response:
    """The tenant's events that are not deleted, those that were created last first."""
    broker, caller = broker_of(request), tenancy(request)
    limit = query_number(request, "limit", default=20, lowest=1, highest=MOST_LISTED)
    offset = query_number(request, "offset", default=0, lowest=0, highest=MOST_SKIPPED)
    team = await broker.channels.ensure(team_channel(caller.tenant))
    page = await broker.reader.page(
        team.partition, EVENT, events_index(caller.tenant), skip=offset, limit=limit, is_descending=True, log=team
    )
    events = [render_event(parse_event(document.body)) for _, document in page.documents]
    return state_answer({"events": events, "total": page.total, "limit": limit, "offset": offset}, page.tail)


async def show_live_event(request: Request) -> Response:
    """An event with its encoder, its session, and how many recordings it has."""
    report = await _report(request)
    return report.answer(render_detail(report.event, report.now_ms, broker_of(request).live.ingest_url))


async def list_recordings(request: Request) -> Response:
    """The recordings of an event, the oldest first; each live session has one where that is enabled."""
    report = await _report(request)
    sessions = report.event.sessions
    return report.answer(
        {"recordings": [render_recording(report.event, each, each.recording) for each in sessions if each.recording]}
    )


async def list_sessions(request: Request) -> Response:
    """The sessions of an event, the oldest first."""
    report = await _report(request)
    return report.answer({"sessions": [render_session(each, report.now_ms) for each in report.event.sessions]})


async def list_watch_tokens(request: Request) -> Response:
    """The watch tokens of an event by their beginnings, those that were created last first."""
    report = await _report(request)
    return report.answer({"tokens": [render_token(each) for each in await _tokens(request, report)]})


async def show_stats(request: Request) -> Response:
    """Figures of an event over all its sessions."""
    report = await _report(request)
    sessions, recordings = report.event.sessions, report.event.recordings
    ends = [each.ended_ms for each in sessions if each.ended_ms is not None]
    return report.answer(
        {
            "sessions": len(sessions),
            "live_seconds": sum(each.duration_s(report.now_ms) for each in sessions),
            "recordings": len(recordings),
            "recorded_seconds": sum(each.duration_ms or 0 for each in recordings) // 1000,
            "token_uses": sum(each.use_count for each in await _tokens(request, report)),
            "first_started_at": time_or_none(sessions[0].started_ms if sessions else None),
            "last_ended_at": time_or_none(max(ends, default=None)),
        }
    )


async def show_ingest(request: Request) -> Response:
    """Where the encoder streams to, and whether one does."""
    report = await _report(request)
    return report.answer(render_ingest(report.event, broker_of(request).live.ingest_url))


async def show_health(request: Request) -> Response:
    """Whether an event that should have a signal has one: what its encoder told last. Not for billing."""
    event = (report := await _report(request)).event
    wants_signal, is_connected = event.status in (Status.LIVE, Status.REHEARSAL), event.encoder_ms is not None
    return report.answer(
        {
            "status": "ok" if is_connected else "no_signal" if wants_signal else "idle",
            "event_status": event.status,
            "encoder_connected": is_connected,
            "encoder_connected_at": time_or_none(event.encoder_ms),
            "last_disconnected_at": time_or_none(event.encoder_left_ms),
        }
    )


async def show_limits(request: Request) -> Response:
    """What the plan allows, and what is used of it."""
    broker, caller = broker_of(request), tenancy(request)
    partition = broker.engine.partition(caller.tenant)
    page = await broker.reader.page(partition, EVENT, events_index(caller.tenant), limit=1)
    shown = {
        "max_events": broker.live.events_per_tenant,
        "events": page.total,
        "max_bitrate_kbps": broker.live.max_bitrate_kbps,
        "max_tokens_per_event": MOST_TOKENS,
        "max_sessions_per_event": MOST_SESSIONS,
    }
    return state_answer(shown, None)


async def _report(request: Request) -> Report:
    broker, caller, event_id = broker_of(request), tenancy(request), event_id_of(request)
    team = await broker.channels.ensure(team_channel(caller.tenant))
    loaded = (await broker.reader.read(team.partition, [event_key(caller.tenant, event_id)], logs=(team,))).loaded
    event = found_event(loaded, caller.tenant, event_id).event
    return Report(caller, event, loaded.now_ms, loaded.tail)


async def _tokens(request: Request, report: Report) -> list[WatchToken]:
    broker, event_id = broker_of(request), report.event.id
    partition = broker.engine.partition(report.caller.tenant)
    page = await broker.reader.page(partition, TOKEN, tokens_index(event_id), limit=MOST_TOKENS, is_descending=True)
    return [parse_token(document.body) for _, document in page.documents]
