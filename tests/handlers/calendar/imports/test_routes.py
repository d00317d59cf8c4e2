"""The calls about subscriptions: what they take and refuse, whose they are, and what goes with them."""

import asyncio

import pytest

from tests.broker_server import BrokerServer
from tests.handlers.calendar.calls import Json, Org, org_of, until
from tests.handlers.calendar.imports.feeds import HOUR, Feed, Follower, event, follower_of, titles

URL = "https://feeds.example.com/a.ics"


async def test_a_subscription_is_shown_as_the_clients_expect_it(ada: Follower) -> None:
    made = await ada.subscribe(URL, label="Google")
    assert made.keys() == {
        "id",
        "agent_id",
        "calendar_id",
        "url",
        "label",
        "status",
        "last_synced_at",
        "last_error",
        "created_at",
    }
    assert made["id"].startswith("ics_") and (made["agent_id"], made["calendar_id"]) == (ada.agent, ada.org.calendar)
    assert (made["url"], made["label"], made["status"]) == (URL, "Google", "active")
    assert (made["last_synced_at"], made["last_error"]) == (None, None)
    listed = await ada.org.good("GET", f"agents/{ada.agent}/ical-subscriptions")
    assert (listed["total"], listed["limit"], listed["offset"]) == (1, 50, 0)
    assert [each["id"] for each in listed["data"]] == [made["id"]]
    told = [each["data"] for each in await ada.org.told() if each["type"] == "calendar.subscription.created"]
    assert [each["subject"] for each in told] == [made["id"]] and URL not in str(told)


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"url": "http://feeds.example.com/a.ics"}, "url"),
        ({"url": "ftp://feeds.example.com/a.ics"}, "url"),
        ({"url": "https://192.168.1.1/a.ics"}, "url"),
        ({"url": "https://user:secret@feeds.example.com/a.ics"}, "url"),
        ({"url": 5}, "url"),
        ({"url": None}, "url"),
        ({"calendar_id": 5}, "calendar_id"),
        ({"label": ""}, "label"),
        ({"label": "x" * 256}, "label"),
    ],
)
async def test_what_is_wrong_with_a_new_one_is_named(ada: Follower, changed: Json, param: str) -> None:
    body = {"calendar_id": ada.org.calendar, "url": URL, **changed}
    error = await ada.org.refused("POST", f"agents/{ada.agent}/ical-subscriptions", body, 400, "validation_error")
    assert error["param"] == param


async def test_only_a_calendar_of_the_agent_can_subscribe(ada: Follower) -> None:
    shared = (await ada.org.make_calendar())["id"]
    for agent, calendar in ((ada.agent, shared), (ada.agent, "cal_x"), ("agt_x", ada.org.calendar)):
        body = {"calendar_id": calendar, "url": URL}
        await ada.org.refused("POST", f"agents/{agent}/ical-subscriptions", body, 404, "not_found")


async def test_who_has_no_key_is_told_so_before_an_id_is_looked_at(server: BrokerServer, ada: Follower) -> None:
    body = {"calendar_id": ada.org.calendar, "url": URL}
    await ada.org.refused("POST", "agents/a%20b/ical-subscriptions", body, 404, "not_found")
    for method in ("GET", "POST"):
        answer = await server.http.request(method, "/v1/agents/a%20b/ical-subscriptions")
        assert answer.status_code == 401


async def test_an_agent_sees_to_its_own_and_knows_of_no_other(server: BrokerServer, ada: Follower) -> None:
    other = await follower_of(await org_of(server))
    own, foreign = await ada.subscribe(URL), await other.subscribe(URL)
    key = await org_of(server, agent=ada.agent)
    key.calendar = ada.org.calendar
    assert (await key.good("GET", f"ical-subscriptions/{own['id']}"))["id"] == own["id"]
    assert (await Follower(key, ada.agent).subscribe(URL))["agent_id"] == ada.agent
    path = f"ical-subscriptions/{foreign['id']}"
    for method, at, body in (
        ("GET", path, None),
        ("PATCH", path, {"label": "x"}),
        ("DELETE", path, None),
        ("POST", f"{path}/sync", None),
        ("GET", f"agents/{other.agent}/ical-subscriptions", None),
    ):
        await key.refused(method, at, body, 404, "not_found")
    assert (await key.ask("DELETE", f"ical-subscriptions/{own['id']}")).status_code == 204


async def test_another_organisation_knows_of_none(ada: Follower, rival: Org) -> None:
    made = await ada.subscribe(URL)
    await rival.refused("GET", f"ical-subscriptions/{made['id']}", None, 404, "not_found")


async def test_pages_are_by_age_and_by_status(ada: Follower) -> None:
    made = [(await ada.subscribe(URL, label=str(number)))["id"] for number in range(3)]
    await ada.org.good("PATCH", f"ical-subscriptions/{made[1]}", {"status": "paused"})
    path = f"agents/{ada.agent}/ical-subscriptions"
    paused = await ada.org.good("GET", f"{path}?status=paused")
    assert ([each["id"] for each in paused["data"]], paused["total"]) == ([made[1]], 1)
    page = await ada.org.good("GET", f"{path}?limit=1&offset=2")
    assert ([each["id"] for each in page["data"]], page["total"]) == ([made[2]], 3)
    await ada.org.refused("GET", f"{path}?status=gone", None, 400, "validation_error")
    await ada.org.refused("GET", f"{path}?limit=201", None, 400, "validation_error")


async def test_an_organisation_has_so_many_and_no_more_also_when_all_ask_at_once(ada: Follower) -> None:
    ada.org.server.broker.ical = type(ada.org.server.broker.ical)(subscriptions_per_tenant=3)
    body = {"calendar_id": ada.org.calendar, "url": URL}
    path = f"agents/{ada.agent}/ical-subscriptions"
    answers = await asyncio.gather(*(ada.org.ask("POST", path, body) for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [201] * 3 + [429] * 3
    await ada.org.refused("POST", path, body, 429, "quota_exceeded")
    made = (await ada.org.good("GET", path))["data"][0]["id"]
    assert (await ada.org.ask("DELETE", f"ical-subscriptions/{made}")).status_code == 204
    await ada.subscribe(URL)


async def test_a_retry_with_the_same_key_is_answered_as_the_first_call_also_a_removal(ada: Follower) -> None:
    body = {"calendar_id": ada.org.calendar, "url": URL}
    path = f"agents/{ada.agent}/ical-subscriptions"
    first, again = [await ada.org.good("POST", path, body, Idempotency_Key="k") for _ in range(2)]
    assert first == again and (await ada.org.good("GET", path))["total"] == 1
    other = await ada.org.ask("POST", path, {**body, "label": "x"}, Idempotency_Key="k")
    assert (other.status_code, other.json()["error"]["type"]) == (409, "conflict")
    own = f"ical-subscriptions/{first['id']}"
    removals = [await ada.org.ask("DELETE", own, Idempotency_Key="d") for _ in range(2)]
    assert [each.status_code for each in removals] == [204, 204]
    assert (await ada.org.ask("DELETE", own)).status_code == 404


async def test_one_that_is_paused_is_polled_no_more_until_it_is_active(ada: Follower, feed: Feed) -> None:
    feed.serve(event("a", await ada.now() + 24 * HOUR))
    made = await ada.synced(feed)
    own = f"ical-subscriptions/{made['id']}"
    paused = await ada.org.good("PATCH", own, {"status": "paused", "label": "mine"})
    assert (paused["status"], paused["label"]) == ("paused", "mine")
    await ada.org.refused("POST", f"{own}/sync", None, 409, "conflict", "paused")
    pending = await ada.org.server.broker.timers.pending(limit=100)
    assert "calendar-poll" not in {each.timer.name.kind for each in pending.timers}
    assert titles(await ada.events()) == ["a"]
    feed.serve(event("b", await ada.now() + 24 * HOUR))
    await ada.org.good("PATCH", own, {"status": "active"})
    await until(lambda: _has(ada, ["b"]))
    told = [each["data"] for each in await ada.org.told() if each["type"] == "calendar.subscription.updated"]
    assert [each["status"] for each in told] == ["paused", "active"]


@pytest.mark.parametrize("body", [{}, {"status": "error"}, {"url": "https://127.1/x"}, {"label": 5}, [], {"x": 1}])
async def test_a_change_that_is_wrong_changes_nothing(ada: Follower, body: object) -> None:
    made = await ada.subscribe(URL)
    own = f"ical-subscriptions/{made['id']}"
    if body == {"url": "https://127.1/x"}:
        # Loopback is open here; another private network is not.
        body = {"url": "https://10.1/x"}
    await ada.org.refused("PATCH", own, body, 400, "validation_error")
    assert (await ada.subscription(made["id"]))["url"] == URL


async def test_another_url_has_its_events_in_the_place_of_the_old_ones(ada: Follower, feed: Feed) -> None:
    at = await ada.now() + 24 * HOUR
    feed.serve(event("a", at), event("both", at + HOUR))
    made = await ada.synced(feed)
    both = (await ada.events())[1]
    feed.serve(event("b", at), event("both", at + HOUR))
    other = feed.url.replace("feed", "other")
    changed = await ada.org.good("PATCH", f"ical-subscriptions/{made['id']}", {"url": other})
    assert (changed["url"], changed["last_synced_at"]) == (other, None)
    await until(lambda: _has(ada, ["b", "both"]))
    assert (await ada.events())[1] == both


async def _has(ada: Follower, wanted: list[str]) -> bool:
    return titles(await ada.events()) == wanted


async def test_events_of_a_feed_are_read_only(ada: Follower, feed: Feed) -> None:
    feed.serve(event("a", await ada.now() + 24 * HOUR))
    await ada.synced(feed)
    [made] = await ada.events()
    for path in (f"events/{made['id']}", f"calendars/{ada.org.calendar}/events/{made['id']}"):
        await ada.org.refused("PATCH", path, {"title": "x"}, 403, "forbidden")
        await ada.org.refused("PATCH", path, {}, 403, "forbidden")
        await ada.org.refused("DELETE", path, None, 403, "forbidden")
    for verb in ("confirm", "release"):
        await ada.org.refused("PUT", f"events/{made['id']}/{verb}", None, 403, "forbidden")
    assert await ada.events() == [made]


async def test_removing_a_subscription_removes_its_events_and_no_others_and_tells_of_each(
    ada: Follower, feed: Feed
) -> None:
    at = await ada.now() + 24 * HOUR
    feed.serve(*(event(f"e{number}", at + number * HOUR) for number in range(120)))
    made = await ada.synced(feed)
    own = await ada.org.make()
    answer = await ada.org.ask("DELETE", f"ical-subscriptions/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    page = await ada.org.listed()
    assert [each["id"] for each in page["data"]] == [own["id"]] and page["total"] == 1
    assert (await ada.org.story()).count("event.deleted") == 120
    await ada.org.refused("GET", f"ical-subscriptions/{made['id']}", None, 404, "not_found")
    pending = await ada.org.server.broker.timers.pending(limit=1_000)
    kinds = [each.timer.name.kind for each in pending.timers]
    assert kinds == ["calendar-moment"]


async def test_removing_a_calendar_removes_its_subscriptions(ada: Follower, feed: Feed) -> None:
    feed.serve(event("a", await ada.now() + 24 * HOUR))
    made = await ada.synced(feed)
    assert (await ada.org.ask("DELETE", f"calendars/{ada.org.calendar}")).status_code == 204
    await ada.org.refused("GET", f"ical-subscriptions/{made['id']}", None, 404, "not_found")
    listed = await ada.org.good("GET", f"agents/{ada.agent}/ical-subscriptions")
    assert (listed["total"], listed["data"]) == (0, [])
    assert (await ada.org.good("GET", f"agents/{ada.agent}/events"))["total"] == 0
    pending = await ada.org.server.broker.timers.pending(limit=100)
    assert "calendar-poll" not in {each.timer.name.kind for each in pending.timers}


async def test_availability_says_how_current_the_feeds_are(ada: Follower, feed: Feed) -> None:
    at = await ada.now() + 24 * HOUR
    path = "availability?start={}&end={}&duration=1h".format(
        *(each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (at, at + 3 * HOUR))
    )
    calendar = f"calendars/{ada.org.calendar}/{path}"
    none = await ada.org.good("GET", calendar)
    assert none["availability_state"] == "complete"
    assert none["sources"] == {"chronary": "current", "external": "current", "last_synced_at": None}
    feed.serve(event("busy", at + HOUR), event("free", at, "TRANSP:TRANSPARENT"))
    made = await ada.synced(feed)
    for where in (calendar, f"agents/{ada.agent}/{path}"):
        good = await ada.org.good("GET", where)
        assert [each["start"] for each in good["slots"]] == [
            each.strftime("%Y-%m-%dT%H:%M:%S.000Z") for each in (at, at + 2 * HOUR)
        ]
        assert (good["availability_state"], good["warnings"]) == ("complete", [])
        assert good["sources"]["last_synced_at"] == made["last_synced_at"]
    await ada.org.good("PATCH", f"ical-subscriptions/{made['id']}", {"status": "paused"})
    stale = await ada.org.good("GET", calendar)
    assert (stale["availability_state"], stale["sources"]["external"]) == ("stale", "stale")
    assert stale["slots"] == good["slots"] and made["id"] in stale["warnings"][0]["message"]
    other = await ada.subscribe("https://nowhere.invalid/x.ics")
    await ada.failed(other["id"])
    partial = await ada.org.good("GET", f"agents/{ada.agent}/{path}")
    assert (partial["availability_state"], partial["sources"]["external"]) == ("partial", "partial")
    assert {each["code"] for each in partial["warnings"]} == {"availability_incomplete"}
