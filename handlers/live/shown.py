"""What the live events API shows, as pydantic models: answers and errors (contract section 2)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from handlers.live.live_event import RecordingState, Visibility
from handlers.live.machine import Status
from handlers.live.watch import PlaybackMode, WatchState

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Shown(BaseModel):
    """What an answer or a channel event holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LivePlayback(Shown):
    """What is played while live."""

    protocol: Literal["hls"]
    url: str
    session_id: str
    started_at: Time


class ReplayPlayback(Shown):
    """What is played afterwards."""

    protocol: Literal["hls"]
    url: str
    recording_id: str
    duration_seconds: int
    expires_at: Time


class WatchShown(Shown):
    """The answer to GET /watch/{slug}."""

    event_id: str
    slug: str
    name: str
    description: str | None
    status: Status
    watch_state: WatchState
    visibility_mode: Visibility
    requires_auth: bool
    auth_type: Literal["password", "token", "tenant_only"] | None
    scheduled_start_at: Time | None
    scheduled_end_at: Time | None
    timezone: str
    countdown_enabled: bool
    playback_mode: PlaybackMode
    live_playback: LivePlayback | None
    replay_playback: ReplayPlayback | None
    embed_enabled: bool
    banner_url: str | None
    logo_url: str | None


class VerifiedShown(Shown):
    """The answer to a verification."""

    verified: Literal[True]
    access_grant: str
    access_grant_expires_at: Time
    watch_state: WatchState
    playback_mode: PlaybackMode
    live_playback: LivePlayback | None
    replay_playback: ReplayPlayback | None


class ConsumedShown(Shown):
    """The answer to consume-grant."""

    consumed: Literal[True]
    already_consumed: bool


class RecordingShown(Shown):
    """A recording."""

    recording_id: str
    session_id: str
    status: RecordingState
    started_at: Time
    ended_at: Time | None
    duration_seconds: int | None
    expires_at: Time | None


class SessionShown(Shown):
    """A session."""

    session_id: str
    status: Literal["active", "ended"]
    started_at: Time
    ended_at: Time | None
    duration_seconds: int
    encoder_connected_at: Time | None
    recording_id: str | None


class EventShown(Shown):
    """An event as its organiser sees it; `stream_key` where it is new, and never again."""

    event_id: str
    slug: str
    name: str
    description: str | None
    status: Status
    visibility_mode: Visibility
    scheduled_start_at: Time | None
    scheduled_end_at: Time | None
    timezone: str
    record_enabled: bool
    replay_enabled: bool
    rehearsal_enabled: bool
    auto_start_on_ingest: bool
    embed_enabled: bool
    max_bitrate_kbps: int
    retention_days: int
    watch_channel: str
    created_at: Time
    updated_at: Time
    version: int


class CreatedShown(EventShown):
    """The answer to POST /events."""

    stream_key: str


class IngestShown(Shown):
    """The answer to GET /ingest; where an encoder streams to."""

    server: str
    stream_key: Annotated[str, Field(description="Its beginning only.")]
    connected: bool
    connected_at: Time | None
    max_bitrate_kbps: int


class DetailShown(EventShown):
    """The answer to GET /events/{event_id}."""

    ingest: IngestShown
    current_session: SessionShown | None
    recording_count: int


class PageShown(Shown):
    """The answer to GET /events."""

    events: list[EventShown]
    total: int
    limit: int
    offset: int


class RecordingsShown(Shown):
    """The answer to GET /recordings."""

    recordings: list[RecordingShown]


class SessionsShown(Shown):
    """The answer to GET /sessions."""

    sessions: list[SessionShown]


class TokenShown(Shown):
    """A watch token, by its beginning."""

    token_id: str
    prefix: str
    label: str | None
    max_uses: int | None
    use_count: int
    expires_at: Time | None
    created_at: Time


class NewTokenShown(TokenShown):
    """The answer to POST /tokens."""

    token: str


class TokensShown(Shown):
    """The answer to GET /tokens."""

    tokens: list[TokenShown]


class KeyShown(Shown):
    """The answer to a rotation."""

    event_id: str
    stream_key: str


class StatsShown(Shown):
    """The answer to GET /stats, over all sessions."""

    sessions: int
    live_seconds: int
    recordings: int
    recorded_seconds: int
    token_uses: Annotated[int, Field(description="Playbacks that were started with a watch token.")]
    first_started_at: Time | None
    last_ended_at: Time | None


class HealthShown(Shown):
    """The answer to GET /health; best effort."""

    status: Literal["idle", "ok", "no_signal"]
    event_status: Status
    encoder_connected: bool
    encoder_connected_at: Time | None
    last_disconnected_at: Time | None


class LimitsShown(Shown):
    """The answer to GET /limits."""

    max_events: int
    events: int
    max_bitrate_kbps: int
    max_tokens_per_event: int
    max_sessions_per_event: int


class ErrorShown(Shown):
    """`error` of every error."""

    code: str
    message: str
    details: list[Any]


class FailureShown(BaseModel):
    """The body of every error; a failed verification has `verified: false` beside it."""

    error: ErrorShown
    detail: str
    verified: Literal[False] | None = None
