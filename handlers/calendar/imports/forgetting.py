"""What goes with a subscription: its events, told one by one; and subscriptions with their calendar, told no more.

Who removes something sees to it at once; a timer does where that process died.
"""

from functools import partial

from broker.change import MAX_OPERATIONS, Change
from broker.storage.state import Page
from broker.timers import Claimed
from handlers.broker import Broker
from handlers.calendar.calendar_event import parse_kept as parse_event
from handlers.calendar.documents import EVENT, calendar_key, event_key, imported_index
from handlers.calendar.events import channel_of, org_of
from handlers.calendar.imports.documents import (
    SUBSCRIPTION,
    count_key,
    forget_name,
    subscription_index,
    subscription_key,
)
from handlers.calendar.imports.merging import forgetting
from handlers.calendar.imports.subscribing import dropping
from handlers.calendar.models import MOST_REMINDERS

MOST_OF_ONE = 4 + 2 * (MOST_REMINDERS + 2)
"""Operations that remove an event: the document, its timer, and on two channels what tells of it and of what is due."""

PAGE = MAX_OPERATIONS // MOST_OF_ONE
"""How many events a page removes: one step, whatever is due of them."""


async def on_forget(broker: Broker, claimed: Claimed) -> None:
    """The events of a subscription that is gone go too. Raises `Fenced`, `Unavailable`."""
    tenant, subscription_id = claimed.timer.name.owner, claimed.timer.name.subject
    await _forget(broker, tenant, subscription_id)
    await broker.commits.execute(tenant, [], lambda _: Change(), claimed=claimed)


async def forget_events(broker: Broker, tenant: str, subscription_id: str) -> None:
    """The same for who removed it; nothing is left to the timer. Raises `Unavailable`."""
    await _forget(broker, tenant, subscription_id)
    disarmed = Change(timers=(forget_name(tenant, subscription_id),))
    await broker.commits.execute(tenant, [], lambda _: disarmed)


async def drop_subscriptions(broker: Broker, tenant: str, calendar_id: str) -> None:
    """Remove the subscriptions of a calendar that is gone. Raises `Unavailable`."""
    while (page := await _page(broker, tenant, SUBSCRIPTION, subscription_index(tenant, calendar_id))).documents:
        for member, _ in page.documents:
            subscription_id = member.partition("/")[2]
            keys = [subscription_key(tenant, subscription_id), count_key(tenant)]
            await broker.commits.execute(tenant, keys, partial(dropping, tenant, subscription_id))


async def _forget(broker: Broker, tenant: str, subscription_id: str) -> None:
    while (page := await _page(broker, tenant, EVENT, imported_index(tenant, subscription_id))).documents:
        ids = [member.partition("/")[2] for member, _ in page.documents]
        calendar_id = parse_event(page.documents[0][1].body).calendar_id
        keys = [calendar_key(tenant, calendar_id), *(event_key(tenant, each) for each in ids)]
        decide, logs = partial(forgetting, tenant, calendar_id, ids), (channel_of(tenant, calendar_id), org_of(tenant))
        await broker.commits.execute(tenant, keys, decide, logs=logs)


async def _page(broker: Broker, tenant: str, kind: str, index: str) -> Page:
    return await broker.reader.page(broker.engine.partition(tenant), kind, index, limit=PAGE)
