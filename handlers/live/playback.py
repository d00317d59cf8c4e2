"""Where what is live and what was recorded is played (contract sections 2 and 10). Pure.

URLs of gated events end soon: they carry an end and a digest as nginx's `secure_link` checks them
(`secure_link_md5 "$secure_link_expires$uri <secret>"`), so that whoever passes one on does not pass on the event.
"""

import base64
import hashlib
from typing import Any, NamedTuple

from broker.ids import render_time
from handlers.live.live_event import LiveEvent, Visibility


class Playback(NamedTuple):
    """Where the media server is reached; without a `secret` URLs are not signed. They are good for `signed_for_s`."""

    url: str
    secret: str = ""
    signed_for_s: int = 14_400


def live_playback(event: LiveEvent, now_ms: int, playback: Playback) -> dict[str, Any] | None:
    """What is played while live."""
    session = event.session
    if session is None:
        return None
    return {
        "protocol": "hls",
        "url": _url(event, f"/live/{event.key.stream}.m3u8", now_ms, playback),
        "session_id": session.id,
        "started_at": render_time(session.started_ms),
    }


def replay_playback(event: LiveEvent, now_ms: int, playback: Playback) -> dict[str, Any] | None:
    """What is played afterwards."""
    found = event.replay_at(now_ms)
    if found is None:
        return None
    _, recording = found
    return {
        "protocol": "hls",
        "url": _url(event, f"/replay/{recording.id}.m3u8", now_ms, playback),
        "recording_id": recording.id,
        "duration_seconds": (recording.duration_ms or 0) // 1000,
        "expires_at": render_time(event.expires_ms(recording) or now_ms),
    }


def _url(event: LiveEvent, path: str, now_ms: int, playback: Playback) -> str:
    if event.visibility is Visibility.PUBLIC or not playback.secret:
        return playback.url + path
    ends_s = now_ms // 1000 + playback.signed_for_s
    # MD5 because it is what secure_link takes; the secret is behind what is public.
    digest = hashlib.md5(f"{ends_s}{path} {playback.secret}".encode(), usedforsecurity=False).digest()
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"{playback.url}{path}?md5={signature}&expires={ends_s}"
