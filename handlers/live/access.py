"""Decisions on viewers: who may watch, and what a playback uses up (contract section 5). Pure.

A verification gives a grant and reserves nothing; consuming the grant is where a token's uses are counted, in the
commit that marks the grant. Whatever a grant is not good for, it is refused alike.
"""

from dataclasses import replace
from typing import Any, NamedTuple

from broker.change import Answer, Change, Put
from broker.errors import Forbidden, Invalid, NotFound
from broker.ids import render_time
from broker.storage.commit import Needs
from broker.storage.state import Loaded
from broker.strictjson import render_json
from handlers.live.decisions import Kept, kept_event
from handlers.live.documents import (
    AccessGrant,
    WatchToken,
    grant_key,
    parse_grant,
    parse_token,
    put_grant,
    put_token,
    token_key,
)
from handlers.live.events import told
from handlers.live.live_event import Visibility
from handlers.live.moves import Fact
from handlers.live.playback import Playback
from handlers.live.watch import watch_of
from handlers.live.wire import render_playback

NO_EVENT = "Event not found"
NO_GRANT = "The access grant is not valid: verify again"


class NewGrant(NamedTuple):
    """The text of a fresh grant, its SHA-256, and how long it is good for."""

    text: str
    digest: str
    lasts_ms: int


def denied(what: str) -> Forbidden:
    """The refusal of a verification."""
    return Forbidden(f"The {what} is not valid for this event", code="ACCESS_DENIED", beside={"verified": False})


def watched_event(loaded: Loaded, tenant: str, event_id: str) -> Kept:
    """An event that there is for viewers; raises `NotFound`: a draft is not told from an unknown one."""
    kept = kept_event(loaded, tenant, event_id)
    if kept is None or watch_of(kept.event, loaded.now_ms, has_access=False) is None:
        raise NotFound(NO_EVENT)
    return kept


def check_mode(kept: Kept, mode: Visibility) -> None:
    """Raises `Invalid` where this is not how the event is watched."""
    if kept.event.visibility is not mode:
        raise Invalid(f"This event is not watched by {mode}", code="WRONG_ACCESS_MODE")


def granting_password(
    tenant: str, event_id: str, epoch: int, grant: NewGrant, playback: Playback, loaded: Loaded
) -> Change:
    """A grant for whoever knew the password that was the event's in this epoch. Raises `Forbidden`."""
    kept = watched_event(loaded, tenant, event_id)
    check_mode(kept, Visibility.PASSWORD)
    if kept.event.access_epoch != epoch:
        raise denied("password")
    return _granted(kept, None, grant, playback, loaded.now_ms)


def granting_token(
    tenant: str, event_id: str, digest: str, grant: NewGrant, playback: Playback, loaded: Loaded
) -> Change:
    """A grant for the bearer of a watch token; its uses are not counted yet. Raises `Forbidden`, alike for all."""
    kept = watched_event(loaded, tenant, event_id)
    check_mode(kept, Visibility.TOKEN)
    document = loaded.documents[token_key(event_id, digest)]
    token = None if document is None else parse_token(document.body)
    if token is None or not token.is_usable(loaded.now_ms):
        raise denied("token")
    return _granted(kept, token, grant, playback, loaded.now_ms)


def consuming(tenant: str, event_id: str, digest: str, loaded: Loaded) -> Change:
    """Mark a grant as used and count the use of its token; again, it does nothing. Raises `Forbidden`."""
    kept = watched_event(loaded, tenant, event_id)
    document = loaded.documents[grant_key(event_id, digest)]
    grant = None if document is None else parse_grant(document.body)
    if document is None or grant is None or grant.epoch != kept.event.access_epoch:
        raise _unusable()
    if grant.consumed_ms is not None:
        return Change(answer=_consumed(is_repeat=True))
    if loaded.now_ms >= grant.expires_ms:
        raise _unusable()
    used: tuple[Put, ...] = ()
    facts: list[Fact] = []
    members: dict[str, Any] = {}
    if grant.token_digest is not None:
        key = token_key(event_id, grant.token_digest)
        if key not in loaded.documents:
            raise Needs(key)
        kept_token = loaded.documents[key]
        token = None if kept_token is None else parse_token(kept_token.body)
        if kept_token is None or token is None or not token.is_usable(loaded.now_ms):
            raise _unusable()
        token = replace(token, use_count=token.use_count + 1)
        used = (put_token(token, kept_token.version),)
        members = {"token_id": token.id, "prefix": token.prefix, "max_uses": token.max_uses}
        members["use_count"] = token.use_count
        facts = [Fact("token.exhausted", members)] if token.use_count == token.max_uses else []
    fact = Fact("grant.consumed", {"grant": digest, **{name: members.get(name) for name in ("token_id", "use_count")}})
    documents = (put_grant(replace(grant, consumed_ms=loaded.now_ms), document.version), *used)
    return Change(documents, told(kept.event, kept.event, [fact, *facts], "api"), (), _consumed(is_repeat=False))


def _granted(kept: Kept, token: WatchToken | None, grant: NewGrant, playback: Playback, now_ms: int) -> Change:
    event = kept.event
    expires_ms = now_ms + grant.lasts_ms
    if token is not None and token.expires_ms is not None:
        expires_ms = min(expires_ms, token.expires_ms)
    made = AccessGrant(event.id, grant.digest, event.access_epoch, None if token is None else token.digest, expires_ms)
    shown = {
        "verified": True,
        "access_grant": grant.text,
        "access_grant_expires_at": render_time(expires_ms),
        **(render_playback(event, now_ms, playback, has_access=True) or {}),
    }
    return Change((put_grant(made, 0),), answer=Answer(200, render_json(shown)))


def _consumed(*, is_repeat: bool) -> Answer:
    return Answer(200, render_json({"consumed": True, "already_consumed": is_repeat}))


def _unusable() -> Forbidden:
    return Forbidden(NO_GRANT, code="GRANT_INVALID", beside={"consumed": False, "already_consumed": False})
