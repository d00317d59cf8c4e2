"""What is done at a time: holds end, reminders, starts and ends are told, defaults and deletions are carried through.

Each reads the state again when it fires, so what was changed meanwhile counts, and each thing is told once.
"""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from broker.change import Change, DocumentKey
from broker.scheduler import OnTimer
from broker.storage.commit import Decide
from broker.timers import Claimed
from handlers.broker import Broker
from handlers.calendar.alarms import telling
from handlers.calendar.calendar_event import parse_kept
from handlers.calendar.documents import (
    EVENT,
    EXPIRY_TIMER,
    MOMENT_TIMER,
    PURGE_TIMER,
    REARM_TIMER,
    calendar_key,
    event_index,
    event_key,
)
from handlers.calendar.events import channel_of, org_of
from handlers.calendar.imports.documents import FORGET_TIMER
from handlers.calendar.imports.forgetting import drop_subscriptions, on_forget
from handlers.calendar.making import MOST_AT_ONCE, purging, rearming
from handlers.calendar.serving import settle


def timers_of(broker: Broker) -> dict[str, OnTimer]:
    """What follows when a timer of calendars fires, by its kind."""
    return {
        EXPIRY_TIMER: partial(expire_holds, broker),
        MOMENT_TIMER: partial(tell_moments, broker),
        REARM_TIMER: partial(rearm_events, broker),
        PURGE_TIMER: partial(purge_events, broker),
        FORGET_TIMER: partial(on_forget, broker),
    }


async def expire_holds(broker: Broker, claimed: Claimed) -> None:
    """The holds of a calendar that are over end. Raises `Fenced`, `Unavailable`."""
    await settle(broker, claimed.timer.name.owner, claimed.timer.name.subject, claimed)


async def tell_moments(broker: Broker, claimed: Claimed) -> None:
    """What is due of an event is told, and the next is armed. Raises `Fenced`, `Unavailable`."""
    tenant, event_id = claimed.timer.name.owner, claimed.timer.name.subject
    key = event_key(tenant, event_id)
    found = (await broker.reader.read(broker.engine.partition(tenant), [key])).loaded.documents[key]
    keys, logs = [key], [org_of(tenant)]
    if found is not None:
        calendar_id = parse_kept(found.body).calendar_id
        keys.append(calendar_key(tenant, calendar_id))
        logs.append(channel_of(tenant, calendar_id))
    await broker.commits.execute(tenant, keys, partial(telling, tenant, event_id), logs=logs, claimed=claimed)


async def rearm_events(broker: Broker, claimed: Claimed) -> None:
    """The events of a calendar with new defaults are armed by them. Raises `Fenced`, `Unavailable`."""
    tenant, calendar_id = claimed.timer.name.owner, claimed.timer.name.subject
    now_ms = await broker.engine.now_ms(broker.engine.partition(tenant))
    ids = list({each: None async for each in _ids(broker, tenant, calendar_id, "confirmed", str(now_ms))})
    for start in range(0, len(ids), MOST_AT_ONCE):
        some = ids[start : start + MOST_AT_ONCE]
        await _execute(broker, tenant, calendar_id, some, partial(rearming, tenant, calendar_id, some))
    await broker.commits.execute(tenant, [], lambda _: Change(), claimed=claimed)


async def purge_events(broker: Broker, claimed: Claimed) -> None:
    """The events of a calendar that is gone go too. Raises `Fenced`, `Unavailable`."""
    await purge(broker, claimed.timer.name.owner, claimed.timer.name.subject)
    await broker.commits.execute(claimed.timer.name.owner, [], lambda _: Change(), claimed=claimed)


async def purge(broker: Broker, tenant: str, calendar_id: str) -> None:
    """Remove all events and subscriptions of a calendar that is gone. Raises `Unavailable`."""
    await drop_subscriptions(broker, tenant, calendar_id)
    while ids := list({each: None async for each in _ids(broker, tenant, calendar_id, None, "-inf")}):
        for start in range(0, len(ids), MOST_AT_ONCE):
            some = ids[start : start + MOST_AT_ONCE]
            await _execute(broker, tenant, calendar_id, some, partial(purging, tenant, some))


async def first_events(broker: Broker, tenant: str, calendar_id: str) -> list[str]:
    """The ids of some of a calendar's events."""
    page = await broker.reader.page(
        broker.engine.partition(tenant), EVENT, event_index(tenant, calendar_id), limit=MOST_AT_ONCE
    )
    return [member.partition("/")[2] for member, _ in page.documents]


async def _ids(broker: Broker, tenant: str, calendar_id: str, status: str | None, lowest: str) -> AsyncIterator[str]:
    """The ids of events by their starts, some of them twice.

    A page begins at the start of the last event before it, not behind so many events: what is removed meanwhile moves
    no other one out of sight.
    """
    skip, total = 0, 1
    while skip < total:
        page = await broker.reader.page(
            broker.engine.partition(tenant),
            EVENT,
            event_index(tenant, calendar_id, status),
            lowest=lowest,
            skip=skip,
            limit=MOST_AT_ONCE,
        )
        for member, _ in page.documents:
            yield member.partition("/")[2]
        skip, total = skip + MOST_AT_ONCE, page.total
        last = str(parse_kept(page.documents[-1][1].body).start_ms) if page.documents else lowest
        if skip < total and last != lowest:
            lowest, skip, total = last, 0, 1


async def _execute(broker: Broker, tenant: str, calendar_id: str, ids: Sequence[str], decide: Decide) -> None:
    keys: list[DocumentKey] = [calendar_key(tenant, calendar_id), *(event_key(tenant, each) for each in ids)]
    await broker.commits.execute(tenant, keys, decide)
