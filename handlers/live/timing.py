"""What timers do: whatever time brings an event, and freeing the slugs of deleted ones."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType

from broker.change import Change, DocumentKey
from broker.storage.state import Loaded
from broker.timers import Claimed
from handlers.broker import Broker
from handlers.live import decisions, denials, slugs
from handlers.live.decisions import RELEASE_KIND
from handlers.live.documents import MOST_TOKENS, TIMER_KIND, TOKEN, event_key, tokens_index
from handlers.live.events import team_channel, watch_channel
from handlers.live.settings import pace_of

OnTimer = Callable[[Broker, Claimed], Awaitable[None]]


async def bring(broker: Broker, claimed: Claimed) -> None:
    """Have time do to an event what is due: ready, cancelled, processed, ended, expired or purged."""
    tenant, event_id = claimed.timer.name.owner, claimed.timer.name.subject
    kept = decisions.kept_event(await _load(broker, tenant, event_id), tenant, event_id)
    logs, tokens = [team_channel(tenant)], list[DocumentKey]()
    if kept is not None and kept.event.deleted_ms is None:
        logs.append(watch_channel(kept.event.slug))
    elif kept is not None:
        index = tokens_index(event_id)
        page = await broker.reader.page(broker.engine.partition(tenant), TOKEN, index, limit=MOST_TOKENS)
        tokens = [DocumentKey(TOKEN, member) for member, _ in page.documents]
    decide = partial(decisions.timing, tenant, event_id, tokens, pace_of(broker.live))
    await broker.commits.execute(tenant, [event_key(tenant, event_id), *tokens], decide, logs=logs, claimed=claimed)


async def free_slug(broker: Broker, claimed: Claimed) -> None:
    """Free the slug of a deleted event."""
    tenant, event_id = claimed.timer.name.owner, claimed.timer.name.subject
    kept = decisions.kept_event(await _load(broker, tenant, event_id), tenant, event_id)
    if kept is not None:
        await slugs.release(broker, kept.event.slug, event_id)
    await broker.commits.execute(tenant, [], lambda _: Change(), claimed=claimed)


async def _load(broker: Broker, tenant: str, event_id: str) -> Loaded:
    return (await broker.reader.read(broker.engine.partition(tenant), [event_key(tenant, event_id)])).loaded


ON_TIMER: Mapping[str, OnTimer] = MappingProxyType(
    {TIMER_KIND: bring, RELEASE_KIND: free_slug, denials.KIND: denials.tell}
)
