"""Slugs, unique over all tenants: claimed before the event is made, released after it is deleted (design section 3).

A claim is the `home` of the channel `live-watch-<slug>`, with a lease. One past its lease whose event was never made is
void: its place is taken first in its own partition, so that a slow maker cannot make the event any more.
"""

from contextlib import suppress
from typing import NamedTuple

from broker.change import Change, Delete, Put
from broker.channels import DAY_MS, ChannelRecord
from broker.errors import Conflict, NotFound
from broker.storage.homes import home_key
from broker.storage.state import Loaded
from broker.strictjson import parse_stored, render_json
from handlers.broker import Broker
from handlers.live.channel_ids import watch_channel_id
from handlers.live.decisions import LAPSED
from handlers.live.documents import event_key

LEASE_MS = 30_000
KEPT_LAPSED_MS = DAY_MS


class Claim(NamedTuple):
    """Whose a slug is. `by` is the Idempotency-Key of the call that claimed it: its repeat goes on with the claim."""

    partition: int
    tenant: str
    event_id: str
    claimed_ms: int
    by: str | None = None


class _Taken(Exception):
    def __init__(self, claim: Claim) -> None:
        super().__init__(claim)
        self.claim = claim


async def claim(broker: Broker, slug: str, tenant: str, event_id: str, by: str | None) -> str:
    """Claim a slug for an event that is to be made; the id that it gets. Raises `Conflict` where it is taken."""
    try:
        return await _claim(broker, slug, tenant, event_id, by, void=None)
    except _Taken as taken:
        other = taken.claim
    record = await _record(broker, slug)
    if await broker.engine.now_ms() >= other.claimed_ms + LEASE_MS and await _lapse(broker, other):
        if record is not None:
            with suppress(NotFound):
                await broker.channels.delete_this(record)
        with suppress(_Taken):
            return await _claim(broker, slug, tenant, event_id, by, void=other.event_id)
    raise Conflict("This slug is taken", code="SLUG_TAKEN")


async def find(broker: Broker, slug: str) -> Claim | None:
    """Whose a slug is; None where it is free."""
    channel_id = watch_channel_id(slug)
    partition = broker.engine.partition(channel_id)
    return _parse((await broker.reader.read(partition, [home_key(channel_id)])).loaded, channel_id)


async def release(broker: Broker, slug: str, event_id: str) -> None:
    """Delete the channel of a deleted event and free its slug; where the slug is another's by now, nothing."""
    # The record first: what is claimed after this has another channel.
    record = await _record(broker, slug)
    known = await find(broker, slug)
    if known is None or known.event_id != event_id:
        return
    if record is not None:
        with suppress(NotFound):
            await broker.channels.delete_this(record)
    channel_id = watch_channel_id(slug)

    def decide(loaded: Loaded) -> Change:
        document, present = loaded.documents[home_key(channel_id)], _parse(loaded, channel_id)
        if document is None or present is None or present.event_id != event_id:
            return Change()
        return Change((Delete(home_key(channel_id), document.version),))

    await broker.commits.execute(channel_id, [home_key(channel_id)], decide)


async def _claim(broker: Broker, slug: str, tenant: str, event_id: str, by: str | None, void: str | None) -> str:
    channel_id, claimed_id = watch_channel_id(slug), event_id

    def decide(loaded: Loaded) -> Change:
        nonlocal claimed_id
        known, document = _parse(loaded, channel_id), loaded.documents[home_key(channel_id)]
        if known is not None and by is not None and (known.tenant, known.by) == (tenant, by):
            claimed_id = known.event_id
            return Change()
        if known is not None and known.event_id != void:
            raise _Taken(known)
        claimed_id = event_id
        own = Claim(broker.engine.partition(tenant), tenant, event_id, loaded.now_ms, by)
        return Change((Put(home_key(channel_id), document.version if document else 0, render_json(own._asdict())),))

    await broker.commits.execute(channel_id, [home_key(channel_id)], decide)
    return claimed_id


async def _lapse(broker: Broker, other: Claim) -> bool:
    """Whether the event of a claim was never made and never will be."""
    key, is_void = event_key(other.tenant, other.event_id), False

    def decide(loaded: Loaded) -> Change:
        nonlocal is_void
        document = loaded.documents[key]
        is_void = document is None or document.body == LAPSED
        if document is not None:
            return Change()
        return Change((Put(key, 0, LAPSED, (), loaded.now_ms + KEPT_LAPSED_MS),))

    await broker.commits.execute(other.tenant, [key], decide)
    return is_void


async def _record(broker: Broker, slug: str) -> ChannelRecord | None:
    try:
        return await broker.channels.refresh(watch_channel_id(slug))
    except NotFound:
        return None


def _parse(loaded: Loaded, channel_id: str) -> Claim | None:
    document = loaded.documents[home_key(channel_id)]
    return None if document is None else Claim(**parse_stored(document.body))
