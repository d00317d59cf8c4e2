"""How many feeds one process polls at a time."""

import asyncio

from aiohttp import web

from broker.change import Change
from broker.storage.state import Loaded
from broker.storage.timers import Timers
from broker.webclient import open_client
from handlers.broker import IcalSite
from handlers.calendar.calendars import Calendar
from handlers.calendar.documents import put_calendar
from handlers.calendar.imports.documents import POLL_TIMER, find_kept, poll_timer, put_subscription, subscription_key
from handlers.calendar.imports.subscription import IcalSubscription
from handlers.calendar.imports.syncing import Parts, Syncs
from tests.clockwork import worker_of
from tests.handlers.calendar.imports.feeds import Feed
from tests.handlers.calendar.imports.poller import SCHEDULER
from tests.killable import PATIENCE_S
from tests.receivers import Request
from tests.stores import Store
from tests.webhooks.networks import LOOPBACK

CALENDAR = "cal_00000000000000"
SUBSCRIPTIONS = ("ics_1", "ics_2", "ics_3")


async def subscribe(store: Store, feed: Feed) -> None:
    """A calendar with subscriptions that are all to be polled now."""

    def decide(loaded: Loaded) -> Change:
        now_ms = loaded.now_ms
        calendar = put_calendar("acme", Calendar(CALENDAR, "Work", "UTC", now_ms, now_ms, "agt_1"), 0)
        made = [IcalSubscription(each, "agt_1", CALENDAR, feed.url, now_ms, now_ms) for each in SUBSCRIPTIONS]
        documents = (calendar, *(put_subscription("acme", each, 0) for each in made))
        return Change(documents, (), tuple(poll_timer("acme", each, now_ms) for each in SUBSCRIPTIONS))

    await store.commits.execute("acme", [], decide)


async def are_synced(store: Store) -> bool:
    keys = [subscription_key("acme", each) for each in SUBSCRIPTIONS]
    loaded = (await store.reader.read(store.engine.partition("acme"), keys)).loaded
    found = [find_kept("acme", each, loaded) for each in SUBSCRIPTIONS]
    return all(each is not None and each[0].last_synced_ms is not None for each in found)


async def test_timers_of_one_moment_begin_no_more_polls_than_may_be(store: Store, feed: Feed) -> None:
    at_once, most = 0, 0

    async def slow(_: Request) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return web.Response(body=feed.body)

    feed.serve()
    feed.answer = slow
    await subscribe(store, feed)
    async with open_client(LOOPBACK, user_agent="t") as client:
        parts = Parts(store.engine, store.reader, store.commits, client.send)
        syncs = Syncs(parts, IcalSite(polls_at_once=1), wait_s=60.0)
        async with worker_of(store, Timers(store.engine), {POLL_TIMER: syncs.on_due}, SCHEDULER):
            async with asyncio.timeout(PATIENCE_S):
                while not await are_synced(store):
                    await asyncio.sleep(0.02)
        await syncs.drained()
    assert most == 1
