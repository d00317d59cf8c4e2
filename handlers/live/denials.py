"""Failed verifications, told once a minute for each event and kind, without who or what it was (contract section 8).

The first of a minute arms a timer; when it fires, the counts become events on the tenant's channel.
"""

from functools import partial
from typing import Any

from broker.change import NOTHING, Change, Delete, DocumentKey, Put
from broker.storage.state import Loaded
from broker.strictjson import parse_stored, render_json
from broker.timers import Claimed, Timer, TimerName
from handlers.broker import Broker
from handlers.live.decisions import kept_event
from handlers.live.documents import HOUR_MS, event_key
from handlers.live.events import team_channel, told
from handlers.live.moves import Fact

KIND = "live-denials"
MINUTE_MS = 60_000


def denials_key(tenant: str, event_id: str) -> DocumentKey:
    """The document that counts."""
    return DocumentKey(KIND, f"{tenant}/{event_id}")


def counting(tenant: str, event_id: str, kind: str, loaded: Loaded) -> Change:
    """One more failure of this kind, `password` or `token`."""
    key = denials_key(tenant, event_id)
    found = loaded.documents[key]
    counts: dict[str, Any] = parse_stored(found.body) if found else {}
    body = render_json({**counts, kind: counts.get(kind, 0) + 1})
    put = Put(key, found.version if found else 0, body, (), loaded.now_ms + HOUR_MS)
    if found is not None:
        return Change((put,))
    return Change((put,), timers=(Timer(TimerName(KIND, tenant, event_id), loaded.now_ms + MINUTE_MS),))


def telling(tenant: str, event_id: str, loaded: Loaded) -> Change:
    """What was counted is told, and counting begins anew."""
    key = denials_key(tenant, event_id)
    found, kept = loaded.documents[key], kept_event(loaded, tenant, event_id)
    if found is None:
        return NOTHING
    gone = (Delete(key, found.version),)
    if kept is None:
        return Change(gone)
    counts = sorted(parse_stored(found.body).items())
    facts = [Fact("access.denied", {"kind": kind, "count": count}) for kind, count in counts]
    return Change(gone, told(kept.event, kept.event, facts, "timer"))


async def note(broker: Broker, tenant: str, event_id: str, kind: str) -> None:
    """Count a failure. Raises `Unavailable`."""
    key = denials_key(tenant, event_id)
    await broker.commits.execute(tenant, [key], partial(counting, tenant, event_id, kind))


async def tell(broker: Broker, claimed: Claimed) -> None:
    """What the timer does."""
    tenant, event_id = claimed.timer.name.owner, claimed.timer.name.subject
    keys, decide = [denials_key(tenant, event_id), event_key(tenant, event_id)], partial(telling, tenant, event_id)
    await broker.commits.execute(tenant, keys, decide, logs=(team_channel(tenant),), claimed=claimed)
