"""Feeds in calendars: polled by timers, merged, told, and costing nothing while they do not change."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

from aiohttp import web

from broker.change import Change
from broker.storage.state import Loaded
from tests.handlers.calendar.calls import HOUR_MS, MINUTE_MS, Json, until
from tests.handlers.calendar.imports.feeds import HOUR, Feed, Follower, event, titles
from tests.receivers import Request

DAY = timedelta(days=1)
POLL_MS = 17 * MINUTE_MS
"""Longer than a poll waits, with its jitter."""


async def test_a_new_subscription_is_polled_at_once_and_its_events_are_told_on_the_channel(
    ada: Follower, feed: Feed
) -> None:
    at = await ada.now() + DAY
    feed.serve(event("a", at, "DESCRIPTION:Bring\\, both", "LOCATION:Room 1", summary="Sync"), event("b", at + HOUR))
    made = await ada.synced(feed)
    assert (made["status"], made["last_error"]) == ("active", None)
    first, second = await ada.events()
    assert (first["title"], first["description"], first["source"]) == ("Sync", "Bring, both", "external_ical")
    assert first["status"] == "confirmed" and first["reminders"] is None
    assert first["metadata"] == {"ical_subscription_id": made["id"], "ical_uid": "a", "location": "Room 1"}
    told = [each for each in await ada.org.told() if each["type"] == "calendar.event.created"]
    assert [each["data"]["payload"]["event"] for each in told] == [first, second]
    assert {each["data"]["cause"] for each in told} == {"feed"}
    whole = [each for each in await ada.org.told("calendar-org-acme") if each["type"] == "calendar.event.created"]
    assert [each["data"] for each in whole] == [each["data"] for each in told]


async def test_an_unchanged_feed_costs_one_conditional_request_a_poll_and_no_events(ada: Follower, feed: Feed) -> None:
    feed.serve(event("a", await ada.now() + DAY), etag='"v1"')
    made = await ada.synced(feed)
    before = await ada.org.told("calendar-org-acme")
    assert feed.statuses == [200] and "If-None-Match" not in feed.asked[0].headers
    for polls in (2, 3):
        last = (await ada.subscription(made["id"]))["last_synced_at"]
        await ada.org.advance(POLL_MS)
        await ada.until(made["id"], partial(_is_newer, last))
        assert feed.statuses == [200, *[304] * (polls - 1)]
        assert feed.asked[-1].headers["If-None-Match"] == '"v1"'
    assert await ada.org.told("calendar-org-acme") == before


def _is_newer(last: str, own: Json) -> bool:
    return bool(own["last_synced_at"] != last)


async def test_a_server_that_knows_no_conditions_is_read_by_what_it_sends(ada: Follower, feed: Feed) -> None:
    feed.serve(event("a", await ada.now() + DAY))
    made = await ada.synced(feed)
    before = await ada.org.told("calendar-org-acme")
    await ada.resynced(made["id"])
    assert feed.statuses == [200, 200]
    assert await ada.org.told("calendar-org-acme") == before


async def test_what_changed_came_and_went_is_told_once_and_what_did_not_stays_untouched(
    ada: Follower, feed: Feed
) -> None:
    at = await ada.now() + DAY
    feed.serve(event("stays", at), event("moves", at + HOUR), event("goes", at + 2 * HOUR))
    made = await ada.synced(feed)
    stays, moves, goes = await ada.events()
    feed.serve(event("stays", at), event("moves", at + 3 * HOUR), event("comes", at + HOUR))
    await ada.resynced(made["id"])
    after = await ada.events()
    assert titles(after) == ["stays", "comes", "moves"] and after[0] == stays
    assert after[2]["id"] == moves["id"] and after[2]["start_time"] != moves["start_time"]
    assert await ada.org.story(stays["id"]) == ["event.created"]
    assert await ada.org.story(moves["id"]) == ["event.created", "event.updated"]
    assert await ada.org.story(goes["id"]) == ["event.created", "event.deleted"]
    assert await ada.org.story(after[1]["id"]) == ["event.created"]
    assert (await ada.org.ask("GET", f"events/{goes['id']}")).status_code == 404


async def test_a_feed_is_read_whole_once_a_day_so_that_the_days_ahead_move_on(ada: Follower, feed: Feed) -> None:
    at = await ada.now() - timedelta(days=10)
    feed.serve(event("daily", at, "RRULE:FREQ=MONTHLY"), etag='"v1"')
    made = await ada.synced(feed)
    count = (await ada.org.listed("source=external_ical"))["total"]
    await ada.resynced(made["id"], 40 * 24 * HOUR_MS)
    assert feed.statuses == [200, 200] and "If-None-Match" not in feed.asked[1].headers
    ahead = await ada.org.listed("source=external_ical")
    assert ahead["data"][-1]["start_time"] > (at + timedelta(days=376)).isoformat()
    # What is long over is forgotten, and never told to be deleted.
    await until(lambda: _total_is(ada, count))
    assert "event.deleted" not in await ada.org.story()


async def _total_is(ada: Follower, total: int) -> bool:
    return bool((await ada.org.listed("source=external_ical"))["total"] == total)


async def test_events_of_a_feed_remind_start_and_end_like_any_other(ada: Follower, feed: Feed) -> None:
    feed.serve(event("a", await ada.now() + 3 * HOUR))
    await ada.synced(feed)
    [made] = await ada.events()
    await ada.org.advance(5 * HOUR_MS)
    await ada.org.until_told(made["id"], "event.created", "event.started", "event.ended")


async def test_a_reminder_of_an_event_of_a_feed_comes_by_the_default_of_the_calendar(ada: Follower, feed: Feed) -> None:
    await ada.org.good("PATCH", f"calendars/{ada.org.calendar}", {"default_reminders": [30]})
    feed.serve(event("a", await ada.now() + 3 * HOUR))
    await ada.synced(feed)
    [made] = await ada.events()
    left_ms = int((await ada.now() + 3 * HOUR).timestamp() * 1000) - await ada.org.now_ms()
    await ada.org.advance(left_ms - 20 * MINUTE_MS)
    await ada.org.until_told(made["id"], "event.created", "event.reminded")


async def test_more_than_one_commit_holds_is_merged_by_pages(ada: Follower, feed: Feed) -> None:
    at = await ada.now() + DAY
    feed.serve(*(event(f"e{number}", at + number * HOUR) for number in range(450)))
    made = await ada.synced(feed)
    assert (await ada.org.listed("source=external_ical"))["total"] == 450
    assert len(await ada.org.story()) == 450
    feed.serve(*(event(f"e{number}", at + number * HOUR, summary="New") for number in range(0, 450, 2)))
    await ada.resynced(made["id"])
    page = await ada.org.listed("source=external_ical")
    assert page["total"] == 225 and {each["title"] for each in page["data"]} == {"New"}
    story = await ada.org.story()
    assert (story.count("event.updated"), story.count("event.deleted")) == (225, 225)


async def five_reminders_each_are_due(ada: Follower, at: datetime) -> None:
    """No timer tells anything any more: what is due is told by whatever changes an event."""
    broker = ada.org.server.broker
    page = await broker.timers.pending(limit=1_000)
    for each in page.timers:
        if each.timer.name.kind == "calendar-moment":
            disarmed = Change(timers=(each.timer.name,))
            await broker.commits.execute("acme", [], partial(_change, disarmed))
    await ada.org.advance(int(at.timestamp() * 1000) - 30_000 - await ada.org.now_ms())


async def test_events_of_which_much_is_due_go_with_their_subscription(ada: Follower, feed: Feed) -> None:
    await ada.org.good("PATCH", f"calendars/{ada.org.calendar}", {"default_reminders": [1, 2, 3, 4, 5]})
    at = await ada.now() + 5 * HOUR
    feed.serve(*(event(f"e{number}", at) for number in range(60)))
    made = await ada.synced(feed)
    await five_reminders_each_are_due(ada, at)
    assert (await ada.org.ask("DELETE", f"ical-subscriptions/{made['id']}")).status_code == 204
    assert (await ada.org.listed("source=external_ical"))["total"] == 0
    story = await ada.org.story()
    assert (story.count("event.reminded"), story.count("event.deleted")) == (300, 60)


async def test_a_page_of_which_much_is_due_is_halved_until_it_fits(ada: Follower, feed: Feed) -> None:
    await ada.org.good("PATCH", f"calendars/{ada.org.calendar}", {"default_reminders": [1, 2, 3, 4, 5]})
    at = await ada.now() + 5 * HOUR
    feed.serve(*(event(f"e{number}", at) for number in range(100)))
    made = await ada.synced(feed)
    await five_reminders_each_are_due(ada, at)
    feed.serve(*(event(f"e{number}", at, summary="New") for number in range(100)))
    await ada.resynced(made["id"])
    story = await ada.org.story()
    assert {name: story.count(name) for name in set(story)} == {
        "event.created": 100,
        "event.reminded": 500,
        "event.updated": 100,
    }


def _change(change: Change, _: Loaded) -> Change:
    return change


async def test_polls_of_one_subscription_never_overlap_and_asking_twice_asks_once(ada: Follower, feed: Feed) -> None:
    gate, under_way = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> web.Response:
        under_way.set()
        await gate.wait()
        return web.Response(body=feed.body)

    feed.serve(event("a", await ada.now() + DAY))
    feed.answer = slow
    made = await ada.subscribe(feed)
    await under_way.wait()
    for _ in range(3):
        answer = await ada.org.ask("POST", f"ical-subscriptions/{made['id']}/sync")
        assert answer.status_code == 202
    gate.set()
    await ada.until(made["id"], lambda own: own["last_synced_at"] is not None)
    assert len(feed.asked) == 1


async def test_a_subscription_that_changed_its_url_while_it_was_polled_has_the_events_of_the_new_one(
    ada: Follower, feed: Feed
) -> None:
    gate, under_way, at = asyncio.Event(), asyncio.Event(), await ada.now() + DAY

    async def by_path(request: Request) -> web.Response:
        if request.path == "/other.ics":
            return web.Response(body=feed.body)
        under_way.set()
        await gate.wait()
        return web.Response(body=feed.body.replace(b"SUMMARY:a", b"SUMMARY:old"))

    feed.serve(event("a", at))
    feed.answer = by_path
    made = await ada.subscribe(feed)
    await under_way.wait()
    other = feed.url.replace("/feed.ics", "/other.ics")
    changed = await ada.org.good("PATCH", f"ical-subscriptions/{made['id']}", {"url": other})
    assert changed["url"] == other
    await ada.until(made["id"], lambda own: own["last_synced_at"] is not None)
    gate.set()
    await ada.resynced(made["id"])
    assert titles(await ada.events()) == ["a"]
    assert await ada.org.story() == ["event.created"]
