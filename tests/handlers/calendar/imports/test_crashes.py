"""Processes that are killed while they poll: another one begins again, and each occurrence is there and told once."""

import asyncio
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from broker.change import Change
from broker.storage.state import Loaded
from broker.storage.timers import Timers
from broker.webclient import open_client
from handlers.broker import IcalSite
from handlers.calendar.calendar_event import CalendarEvent, parse_kept
from handlers.calendar.calendars import Calendar
from handlers.calendar.documents import EVENT, event_index, put_calendar
from handlers.calendar.events import channel_of
from handlers.calendar.imports.documents import POLL_TIMER, find_kept, poll_timer, put_subscription, subscription_key
from handlers.calendar.imports.subscription import IcalSubscription
from handlers.calendar.imports.syncing import Parts, Syncs
from tests.clockwork import worker_of
from tests.handlers.calendar.imports.feeds import HOUR, Feed, event
from tests.handlers.calendar.imports.poller import SCHEDULER
from tests.killable import PATIENCE_S, ready, said, tell
from tests.stores import Store
from tests.webhooks.networks import LOOPBACK

PLACES = ("claim", "fetch", "page", "tell")
CALENDAR, SUBSCRIPTION = "cal_00000000000000", "ics_1"
COUNT = 150


def poller(url: str, place: str) -> AbstractAsyncContextManager[Process]:
    """A process that polls up to a place."""
    return ready("tests.handlers.calendar.imports.poller", url, place)


@asynccontextmanager
async def polling(store: Store) -> AsyncIterator[None]:
    """Another process, which goes on."""
    async with open_client(LOOPBACK, user_agent="t") as client:
        syncs = Syncs(Parts(store.engine, store.reader, store.commits, client.send), IcalSite(), wait_s=60.0)
        async with worker_of(store, Timers(store.engine), {POLL_TIMER: syncs.on_due}, SCHEDULER):
            yield
        await syncs.drained()


async def subscribe(store: Store, feed: Feed) -> None:
    """A calendar that subscribes to a feed, which is to be polled now."""

    def decide(loaded: Loaded) -> Change:
        calendar = Calendar(CALENDAR, "Work", "UTC", loaded.now_ms, loaded.now_ms, "agt_1")
        own = IcalSubscription(SUBSCRIPTION, "agt_1", CALENDAR, feed.url, loaded.now_ms, loaded.now_ms)
        documents = (put_calendar("acme", calendar, 0), put_subscription("acme", own, 0))
        return Change(documents, (), (poll_timer("acme", SUBSCRIPTION, loaded.now_ms),))

    await store.commits.execute("acme", [], decide)


async def poll_now(store: Store) -> None:
    """Move the one timer that waits for the subscription to this moment."""
    pending = await Timers(store.engine).pending(limit=1_000)
    assert [each.timer.name.subject for each in pending.timers if each.timer.name.kind == POLL_TIMER] == [SUBSCRIPTION]
    await store.commits.execute("acme", [], lambda loaded: _due(loaded.now_ms))


def _due(now_ms: int) -> Change:
    return Change(timers=(poll_timer("acme", SUBSCRIPTION, now_ms),))


async def until_synced(store: Store, after_ms: int = 0) -> IcalSubscription:
    """The subscription, once it was synced after that and no poll is under way."""
    key = subscription_key("acme", SUBSCRIPTION)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            loaded = (await store.reader.read(store.engine.partition("acme"), [key])).loaded
            found = find_kept("acme", SUBSCRIPTION, loaded)
            assert found is not None
            if (found[0].last_synced_ms or 0) > after_ms and not found[0].runs_until_ms:
                return found[0]
            await asyncio.sleep(0.02)


async def events(store: Store) -> list[CalendarEvent]:
    index = event_index("acme", CALENDAR)
    page = await store.reader.page(store.engine.partition("acme"), EVENT, index, limit=1_000)
    return [parse_kept(document.body) for _, document in page.documents]


async def told(store: Store) -> Counter[tuple[str, str]]:
    """How often what was told of which event on the calendar's channel."""
    log = await store.channels.ensure(channel_of("acme", CALENDAR))
    found: Counter[tuple[str, str]] = Counter()
    for frame in await store.all(log):
        data: Any = orjson.loads(frame.wire)["data"]
        found[(frame.type_json or b"").decode(), data["subject"]] += 1
    return found


def week(summary: str = "") -> list[str]:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    return [event(f"e{number}", at + number * HOUR, summary=summary) for number in range(COUNT)]


@pytest.mark.parametrize("place", PLACES)
async def test_who_is_killed_leaves_the_poll_to_another_and_nothing_is_there_or_told_twice(
    store: Store, engine_url: str, feed: Feed, place: str
) -> None:
    feed.serve(*week(), etag='"1"')
    await subscribe(store, feed)
    async with poller(engine_url, place) as process:
        assert await said(process) == place
        process.kill()
        await process.wait()
    assert len(await events(store)) == {"page": 100, "tell": COUNT}.get(place, 0)
    await poll_now(store)
    async with polling(store):
        own = await until_synced(store)
    made = await events(store)
    assert len(made) == COUNT and (own.status, own.seen is not None) == ("active", True)
    assert set((await told(store)).values()) == {1} and len(await told(store)) == COUNT


async def test_a_feed_that_changed_back_after_half_a_merge_is_not_taken_for_unchanged(
    store: Store, engine_url: str, feed: Feed
) -> None:
    first = week("First")
    feed.serve(*first, etag='"1"')
    await subscribe(store, feed)
    async with polling(store):
        own = await until_synced(store)
    feed.serve(*[each.replace("SUMMARY:First", "SUMMARY:Second") for each in first], etag='"2"')
    await poll_now(store)
    async with poller(engine_url, "page") as process:
        assert await said(process) == "page"
        process.kill()
        await process.wait()
    assert Counter(each.title for each in await events(store)) == {"First": 50, "Second": 100}
    feed.serve(*first, etag='"1"')
    await poll_now(store)
    async with polling(store):
        await until_synced(store, own.last_synced_ms or 0)
    assert {each.title for each in await events(store)} == {"First"}


async def test_who_stood_still_and_was_overtaken_writes_nothing_more(store: Store, engine_url: str, feed: Feed) -> None:
    feed.serve(*week("Old"))
    await subscribe(store, feed)
    async with poller(engine_url, "page") as process:
        assert await said(process) == "page"
        feed.serve(*week("New"))
        await poll_now(store)
        async with polling(store):
            await until_synced(store)
        before = await told(store)
        assert {each.title for each in await events(store)} == {"New"}
        tell(process)
        assert await said(process) == "superseded"
    assert await told(store) == before
    assert {each.title for each in await events(store)} == {"New"}
