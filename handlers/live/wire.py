"""From a body to what is asked for, and from events to a body (contract section 2). Pure."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from broker.errors import Invalid
from broker.ids import render_time
from handlers.live.channel_ids import watch_channel_id
from handlers.live.credentials import masked
from handlers.live.documents import WatchToken
from handlers.live.live_event import LiveEvent, Recording, Session, Visibility
from handlers.live.models import RESERVED_SLUGS, CreateTaken, PatchTaken
from handlers.live.playback import Playback, live_playback, replay_playback
from handlers.live.watch import PlaybackMode, watch_of
from handlers.model_faults import fault_of

M = TypeVar("M", bound=BaseModel)
MOST_DETAILS = 20
SUFFIX_CHARS = 6
MOST_BASE_CHARS = 40
CLEARABLE = frozenset({"description", "scheduled_start_at", "scheduled_end_at"})
FIELDS = {
    "scheduled_start_at": "scheduled_start_ms",
    "scheduled_end_at": "scheduled_end_ms",
    "visibility_mode": "visibility",
}
"""Members of bodies that an event has under another name."""


def parse(model: type[M], body: Any) -> M:
    """The body as this model; raises `Invalid` that tells all that is wrong, never what was sent."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        details = [_detail(each) for each in error.errors(include_url=False, include_input=False)]
    first = details[0]
    raise Invalid(f"{first['field'] or 'The body'}: {first['message']}", details=details[:MOST_DETAILS])


def settings_of(taken: PatchTaken) -> dict[str, Any]:
    """What an event gets of a body, by its own names; the password is not among them. Raises `Invalid`.

    At create null is as if left out; by PATCH it clears, where that is possible.
    """
    is_new = isinstance(taken, CreateTaken)
    sent = {name: getattr(taken, name) for name in taken.model_fields_set - {"password", "slug"}}
    if not is_new:
        nulls = [name for name, value in sent.items() if value is None and name not in CLEARABLE]
        if nulls or ("password" in taken.model_fields_set and taken.password is None):
            raise Invalid(f"{(nulls or ['password'])[0]}: must not be null")
    return {FIELDS.get(name, name): value for name, value in sent.items() if value is not None or not is_new}


def check_settings(settings: Mapping[str, Any], event: LiveEvent | None, *, has_password: bool) -> None:
    """Raises `Invalid` for what does not fit together; `event` is what is changed, None for a new one."""
    before = None if event is None else event.visibility
    after = settings.get("visibility", before or Visibility.PUBLIC)
    if after is Visibility.PASSWORD and before is not Visibility.PASSWORD and not has_password:
        raise Invalid("password: is required when visibility_mode is password")
    if has_password and after is not Visibility.PASSWORD:
        raise Invalid("password: is for visibility_mode password only")
    start_ms, end_ms = (
        settings[name] if name in settings else getattr(event, name, None)
        for name in ("scheduled_start_ms", "scheduled_end_ms")
    )
    if start_ms is not None and end_ms is not None and end_ms <= start_ms:
        raise Invalid("scheduled_end_at: must be later than scheduled_start_at")


def slug_from(name: str, letters: str) -> str:
    """A slug made of a name; with `letters` behind it where the name alone will not do or was taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MOST_BASE_CHARS].strip("-")
    if not letters and len(base) >= 3 and base not in RESERVED_SLUGS:
        return base
    return f"{base or 'event'}-{letters}" if letters else ""


def render_watch(event: LiveEvent, now_ms: int, playback: Playback, *, has_access: bool) -> dict[str, Any] | None:
    """What a viewer is told of an event; None where there is nothing for viewers."""
    shown = render_playback(event, now_ms, playback, has_access=has_access)
    if shown is None:
        return None
    return {
        **{name: getattr(event, name) for name in ("slug", "name", "description", "status", "timezone")},
        "event_id": event.id,
        "visibility_mode": event.visibility,
        **auth_of(event),
        **schedule_of(event),
        "countdown_enabled": event.scheduled_start_ms is not None,
        **shown,
        "embed_enabled": event.embed_enabled,
        "banner_url": None,
        "logo_url": None,
    }


def render_playback(event: LiveEvent, now_ms: int, playback: Playback, *, has_access: bool) -> dict[str, Any] | None:
    """What is seen, and what is played; None where there is nothing for viewers."""
    seen = watch_of(event, now_ms, has_access=has_access)
    if seen is None:
        return None
    is_live, is_replay = seen.playback is PlaybackMode.LIVE, seen.playback is PlaybackMode.REPLAY
    return {
        "watch_state": seen.state,
        "playback_mode": seen.playback,
        "live_playback": live_playback(event, now_ms, playback) if is_live else None,
        "replay_playback": replay_playback(event, now_ms, playback) if is_replay else None,
    }


def auth_of(event: LiveEvent) -> dict[str, Any]:
    """What access the event asks for, whoever is asking."""
    is_public = event.visibility is Visibility.PUBLIC
    return {"requires_auth": not is_public, "auth_type": None if is_public else event.visibility}


def schedule_of(event: LiveEvent) -> dict[str, Any]:
    """When it is planned."""
    return {
        "scheduled_start_at": time_or_none(event.scheduled_start_ms),
        "scheduled_end_at": time_or_none(event.scheduled_end_ms),
    }


OWN = (
    *("slug", "name", "description", "status", "timezone", "record_enabled", "replay_enabled", "rehearsal_enabled"),
    *("auto_start_on_ingest", "embed_enabled", "max_bitrate_kbps", "retention_days", "version"),
)


def render_event(event: LiveEvent) -> dict[str, Any]:
    """An event as its organiser sees it; no secret, and nothing that one was made of."""
    return {
        "event_id": event.id,
        **{name: getattr(event, name) for name in OWN},
        "visibility_mode": event.visibility,
        **schedule_of(event),
        "watch_channel": watch_channel_id(event.slug),
        "created_at": render_time(event.created_ms),
        "updated_at": render_time(event.updated_ms),
    }


def render_detail(event: LiveEvent, now_ms: int, server: str) -> dict[str, Any]:
    """The same with its encoder, its session, and how many recordings it has."""
    current = event.session
    return {
        **render_event(event),
        "ingest": render_ingest(event, server),
        "current_session": current and render_session(current, now_ms),
        "recording_count": len(event.recordings),
    }


def render_ingest(event: LiveEvent, server: str) -> dict[str, Any]:
    """Where its encoder streams to, and whether one does."""
    return {
        "server": server,
        "stream_key": masked(event.key.prefix),
        "connected": event.encoder_ms is not None,
        "connected_at": time_or_none(event.encoder_ms),
        "max_bitrate_kbps": event.max_bitrate_kbps,
    }


def render_session(session: Session, now_ms: int) -> dict[str, Any]:
    """A session."""
    return {
        "session_id": session.id,
        "status": "active" if session.ended_ms is None else "ended",
        "started_at": render_time(session.started_ms),
        "ended_at": time_or_none(session.ended_ms),
        "duration_seconds": session.duration_s(now_ms),
        "encoder_connected_at": time_or_none(session.encoder_ms),
        "recording_id": session.recording and session.recording.id,
    }


def render_recording(event: LiveEvent, session: Session, recording: Recording) -> dict[str, Any]:
    """A recording."""
    return {
        "recording_id": recording.id,
        "session_id": session.id,
        "status": recording.state,
        "started_at": render_time(session.started_ms),
        "ended_at": time_or_none(session.ended_ms),
        "duration_seconds": None if recording.duration_ms is None else recording.duration_ms // 1000,
        "expires_at": time_or_none(event.expires_ms(recording)),
    }


def render_token(token: WatchToken) -> dict[str, Any]:
    """A watch token, by its beginning."""
    return {
        "token_id": token.id,
        "prefix": masked(token.prefix),
        "label": token.label,
        "max_uses": token.max_uses,
        "use_count": token.use_count,
        "expires_at": time_or_none(token.expires_ms),
        "created_at": render_time(token.created_ms),
    }


def time_or_none(ms: int | None) -> str | None:
    """A time, or that there is none."""
    return None if ms is None else render_time(ms)


def _detail(error: Any) -> dict[str, str]:
    place = ".".join(str(each) for each in error["loc"] if each in PLACES)
    return {"field": place, "message": fault_of(error)}


PLACES = frozenset(
    {*CreateTaken.model_fields, "label", "max_uses", "expires_at", "token", "access_grant", "call", "duration_ms"}
)
"""Members that may be named; another one is the sender's own text."""
