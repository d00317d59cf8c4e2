"""Decisions on what media servers tell: each is one Change (contract sections 5 and 10). Pure.

Whoever streams with a key that is not, or no longer, an event's is refused, and cut where it streams already: key and
event are read in the commit that decides, so a key that was rotated is refused from that very commit on.
"""

from collections.abc import Sequence

from broker.change import Answer, Change
from broker.errors import Conflict, Forbidden
from broker.storage.state import Loaded
from broker.strictjson import render_json
from handlers.live import moves
from handlers.live.decisions import Kept, changing, kept_event
from handlers.live.documents import stream_key_key
from handlers.live.ingest_wire import Told
from handlers.live.live_event import LiveEvent, Session
from handlers.live.machine import STREAMABLE
from handlers.live.moves import Moved, Pace

REFUSED = "This stream is not welcome"
OK = Answer(200, render_json({"ok": True}))


def telling(
    told: Told, digest: str, tenant: str, event_id: str, ids: Sequence[str], pace: Pace, loaded: Loaded
) -> Change:
    """What follows from what was told of the stream with this digest of its name. Raises `Forbidden`."""
    kept = streamed(digest, tenant, event_id, loaded)
    event, now_ms, answer = kept.event, loaded.now_ms, OK
    match told.call:
        case "publish":
            if digest != event.key.digest:
                raise Forbidden(REFUSED)
            try:
                moved = moves.connected(event, now_ms, iter(ids).__next__)
            except Conflict as conflict:
                raise Forbidden(conflict.message) from None
            # Media servers name what is played and recorded after this, and not after the key.
            answer = Answer(302, render_json({"stream": event.key.stream}))
        case "publish_done":
            moved = moves.disconnected(event, now_ms)
        case "recorded":
            moved = recorded(event, told, now_ms)
        case _:
            check_update(event)
            moved = Moved(event)
    return changing(kept, moved, pace, "ingest", answer)


def streamed(digest: str, tenant: str, event_id: str, loaded: Loaded) -> Kept:
    """The event whose stream it is; raises `Forbidden`, alike for whatever is not so."""
    kept = kept_event(loaded, tenant, event_id)
    if loaded.documents[stream_key_key(digest)] is None or kept is None or kept.event.deleted_ms is not None:
        raise Forbidden(REFUSED)
    return kept


def check_update(event: LiveEvent) -> None:
    """Raises `Forbidden` where who streams is to be cut: the event has stopped, or has another key."""
    if event.status not in STREAMABLE or event.encoder_ms is None:
        raise Forbidden(REFUSED)


def recorded(event: LiveEvent, told: Told, now_ms: int) -> Moved:
    """A recording is whole or has failed: the named one, else the oldest that is waited for."""
    waiting = [each for each in event.sessions if each.recording is not None and each.recording.is_pending]
    session = next((s for s in waiting if s.recording and told.recording_id in (None, s.recording.id)), None)
    if session is None or session.recording is None:
        return Moved(event)
    if session.ended_ms is None and event.encoder_ms is not None:
        # Its file was closed while the encoder is there: another one goes on under the same session.
        return Moved(event)
    length_ms = None if told.has_failed else _length(event, session, told, now_ms)
    return moves.recorded(event, session.recording.id, now_ms, length_ms)


def _length(event: LiveEvent, session: Session, told: Told, now_ms: int) -> int:
    """How long a recording is; where the media server does not say, as long as the encoder was there."""
    if told.duration_ms is not None:
        return told.duration_ms
    ended_ms = session.ended_ms or event.encoder_left_ms or now_ms
    return max(0, ended_ms - (session.encoder_ms or session.started_ms))
