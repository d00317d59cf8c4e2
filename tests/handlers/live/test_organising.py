"""What organisers do, over HTTP (contract sections 1, 3, 5, 9)."""

import asyncio
import json
from typing import Any

import pytest

from tests.handlers.live.calls import DAY_MS, HOUR_MS, UNKNOWN, Organiser, checked, organiser_of


async def test_an_event_is_made_ready_with_a_stream_key_that_is_shown_once(acme: Organiser) -> None:
    answer = await acme.ask("POST", "events", {"name": "Town hall"})
    made = answer.json()
    assert (answer.status_code, made["status"], made["slug"]) == (201, "ready", "town-hall")
    assert made["stream_key"].startswith("sk_") and answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Tidemark-Channel"] == "live-team-acme"
    shown = await acme.show(made)
    assert "stream_key" not in shown and shown["ingest"]["stream_key"].endswith("...")
    told = json.dumps(await acme.told()) + json.dumps(await acme.good("GET", "events"))
    assert made["stream_key"] not in told and await acme.kinds() == ["event.created"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x", "slug": "Town"}, "slug"),
        ({"name": "x", "slug": "ab"}, "slug"),
        ({"name": "x", "slug": "-ab-"}, "slug"),
        ({"name": "x", "slug": "watch"}, "slug"),
        ({"name": "x", "timezone": "Mars/Base"}, "timezone"),
        ({"name": "x", "visibility_mode": "secret"}, "visibility_mode"),
        ({"name": "x", "visibility_mode": "password"}, "password"),
        ({"name": "x", "password": "y"}, "password"),
        ({"name": "x", "scheduled_start_at": "soon"}, "scheduled_start_at"),
        ({"name": "x", "max_bitrate_kbps": 0}, "max_bitrate_kbps"),
        ({"name": "x", "retention_days": True}, "retention_days"),
        ({"name": "x", "record_enabled": "yes"}, "record_enabled"),
        (
            {"name": "x", "scheduled_start_at": "2030-01-02T00:00:00Z", "scheduled_end_at": "2030-01-01T00:00:00Z"},
            "scheduled_end_at",
        ),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_made(acme: Organiser, body: Any, field: str) -> None:
    error = await acme.refused("POST", "events", body, 400)
    assert error["detail"].startswith(field)
    assert (await acme.good("GET", "events"))["events"] == []


async def test_what_is_not_known_or_cannot_be_changed_is_refused(acme: Organiser) -> None:
    made = await acme.create()
    for body in ({"status": "live"}, {"slug": "other"}, {"retention_days": 5}, {"rehearsal_enabled": False}, {"x": 1}):
        await acme.refused("PATCH", f"events/{made['event_id']}", body, 400)
    assert (await acme.show(made))["version"] == 1


async def test_without_a_key_it_is_401_and_either_header_will_do(acme: Organiser) -> None:
    http = acme.server.http
    for headers in ({}, {"Authorization": "Bearer x"}, {"X-API-Key": "x"}):
        checked(await http.get("/v1/live-events/events", headers=headers), 401, "AUTH_FAILED")
    for headers in ({"X-API-Key": acme.key}, {"X-API-Key": acme.key, "Authorization": "Bearer x.y.z"}):
        assert (await http.get("/v1/live-events/events", headers=headers)).status_code == 200
    other = await organiser_of(acme.server, "acme", "cuey")
    await other.refused("GET", "events", None, 403)


async def test_another_tenants_event_is_unknown_on_every_route(acme: Organiser, rival: Organiser) -> None:
    made = await acme.create()
    event_id = made["event_id"]
    calls = [("GET", ""), ("DELETE", ""), *(("GET", f"/{name}") for name in READS)]
    calls += [("POST", f"/{name}") for name in ("rehearsal/start", "live/start", "live/stop", "stream-key/rotate")]
    for method, path in calls:
        await rival.refused(method, f"events/{event_id}{path}", None, 404)
        await acme.refused(method, f"events/{UNKNOWN}{path}", None, 404)
    await rival.refused("PATCH", f"events/{event_id}", {"name": "mine"}, 404)
    await rival.refused("POST", f"events/{event_id}/tokens", {}, 404)
    assert (await rival.good("GET", "events"))["total"] == 0


READS = ("recordings", "tokens", "stats", "ingest", "health", "sessions")


async def test_slugs_are_one_for_all_tenants(acme: Organiser, rival: Organiser) -> None:
    await acme.create(slug="launch")
    await rival.refused("POST", "events", {"name": "x", "slug": "launch"}, 409, "SLUG_TAKEN")
    made = await rival.create(name="Town hall")
    again = await rival.create(name="Town hall")
    assert made["slug"] == "town-hall" and again["slug"].startswith("town-hall-")
    nameless = await acme.create(name="日本語")
    assert nameless["slug"].startswith("event-")


async def test_of_many_who_want_one_slug_one_gets_it(acme: Organiser, rival: Organiser) -> None:
    bodies = [{"name": f"n{n}", "slug": "launch"} for n in range(6)]
    answers = await asyncio.gather(*((acme, rival)[n % 2].ask("POST", "events", each) for n, each in enumerate(bodies)))
    assert sorted(each.status_code for each in answers) == [201, *[409] * 5]


async def test_a_deleted_event_is_gone_everywhere_and_its_slug_is_free(acme: Organiser) -> None:
    made = await acme.create(slug="launch")
    await acme.good("DELETE", f"events/{made['event_id']}")
    await acme.refused("GET", f"events/{made['event_id']}", None, 404)
    await acme.refused("DELETE", f"events/{made['event_id']}", None, 404)
    checked(await acme.watch("launch"), 404)
    assert (await acme.media("publish", made["stream_key"])).status_code == 403
    assert (await acme.good("GET", "events"))["total"] == 0
    assert (await acme.create(slug="launch"))["event_id"] != made["event_id"]
    assert await acme.kinds() == ["event.created", "event.deleted", "event.created"]


async def test_a_deleted_event_is_purged_after_thirty_days(acme: Organiser) -> None:
    made = await acme.create()
    await acme.good("POST", f"events/{made['event_id']}/tokens", {})
    await acme.good("DELETE", f"events/{made['event_id']}")
    await acme.advance(30 * DAY_MS)
    await acme.until("event.purged")


async def test_the_status_follows_the_calls_and_repeats_are_refused(acme: Organiser) -> None:
    made = await acme.create()
    assert (await acme.to(made, "rehearsal/start"))["status"] == "rehearsal"
    assert (await acme.to(made, "live/start"))["status"] == "live"
    await acme.refused("POST", f"events/{made['event_id']}/live/start", None, 409, "WRONG_STATE")
    for method, path, body in (
        ("PATCH", "", {"name": "y"}),
        ("DELETE", "", None),
        ("POST", "/stream-key/rotate", None),
    ):
        await acme.refused(method, f"events/{made['event_id']}{path}", body, 409, "WRONG_STATE")
    assert (await acme.to(made, "live/stop"))["status"] == "ending"
    await acme.refused("POST", f"events/{made['event_id']}/live/stop", None, 409, "WRONG_STATE")
    detail = await acme.show(made)
    assert detail["recording_count"] == 1
    [session] = (await acme.good("GET", f"events/{made['event_id']}/sessions"))["sessions"]
    assert session["recording_id"] is not None


async def test_two_starts_at_once_are_one_session(acme: Organiser) -> None:
    made = await acme.create()
    path = f"events/{made['event_id']}/live/start"
    answers = await asyncio.gather(*(acme.ask("POST", path) for _ in range(8)))
    assert sorted(each.status_code for each in answers) == [200, *[409] * 7]
    assert (await acme.kinds()).count("event.started") == 1
    assert len((await acme.good("GET", f"events/{made['event_id']}/sessions"))["sessions"]) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/stream-key/rotate"), ("DELETE", ""), ("PATCH", ""), ("POST", "/live/stop")]
)
async def test_of_a_start_and_what_it_forbids_the_second_is_refused(acme: Organiser, method: str, path: str) -> None:
    for _ in range(4):
        made = await acme.create()
        one, other = await asyncio.gather(
            acme.ask("POST", f"events/{made['event_id']}/live/start"),
            acme.ask(method, f"events/{made['event_id']}{path}", {"name": "y"} if method == "PATCH" else None),
        )
        told = [each["type"] for each in await acme.told() if each["data"]["subject"] == made["event_id"]]
        assert told.count("live.event.started") == (one.status_code == 200)
        assert other.status_code in (200, 204, 409)


async def test_a_far_event_is_scheduled_and_becomes_ready_by_itself(acme: Organiser) -> None:
    made = await acme.create(scheduled_start_at=await acme.in_ms(5 * HOUR_MS))
    assert made["status"] == "scheduled"
    await acme.refused("POST", f"events/{made['event_id']}/live/start", None, 409, "WRONG_STATE")
    await acme.advance(4 * HOUR_MS + 1_000)
    await acme.until("event.readied")
    assert (await acme.show(made))["status"] == "ready"


async def test_a_patch_moves_between_scheduled_and_ready(acme: Organiser) -> None:
    made = await acme.create()
    path = f"events/{made['event_id']}"
    later = await acme.good("PATCH", path, {"scheduled_start_at": await acme.in_ms(5 * HOUR_MS)})
    assert later["status"] == "scheduled"
    assert (await acme.good("PATCH", path, {"scheduled_start_at": None}))["status"] == "ready"
    assert (await acme.good("PATCH", path, {"scheduled_start_at": None}))["version"] == 3
    assert await acme.kinds() == [
        "event.created", "event.updated", "event.scheduled", "event.updated", "event.readied",
    ]  # fmt: skip


async def test_an_event_that_never_began_is_cancelled_a_day_after_its_end(acme: Organiser) -> None:
    start, end = await acme.in_ms(HOUR_MS // 2), await acme.in_ms(HOUR_MS)
    made = await acme.create(scheduled_start_at=start, scheduled_end_at=end)
    await acme.advance(DAY_MS + HOUR_MS + 1_000)
    await acme.until("event.cancelled")
    assert (await acme.sees(made["slug"]))["watch_state"] == "cancelled"


async def test_the_end_of_a_plan_ends_nothing_that_is_live(acme: Organiser) -> None:
    made = await acme.create(scheduled_end_at=await acme.in_ms(HOUR_MS))
    await acme.to(made, "live/start")
    other = await acme.create(scheduled_start_at=await acme.in_ms(3 * HOUR_MS))
    await acme.advance(3 * HOUR_MS)
    await acme.until("event.readied")
    assert (await acme.show(made))["status"] == "live" and (await acme.show(other))["status"] == "ready"


async def test_a_patch_to_password_needs_one_and_away_from_it_drops_it(acme: Organiser) -> None:
    made = await acme.create()
    path = f"events/{made['event_id']}"
    await acme.refused("PATCH", path, {"visibility_mode": "password", "name": "y"}, 400)
    assert (await acme.show(made))["name"] == "Town hall"
    await acme.good("PATCH", path, {"visibility_mode": "password", "password": "s3cret"})
    await acme.good("PATCH", path, {"name": "y"})
    assert (await acme.verify(made["slug"], "password", "s3cret")).status_code == 200
    await acme.good("PATCH", path, {"visibility_mode": "public"})
    await acme.refused("PATCH", path, {"visibility_mode": "password"}, 400)
    assert "s3cret" not in json.dumps(await acme.told())


async def test_lists_are_newest_first_and_counted(acme: Organiser) -> None:
    made = [await acme.create(name=f"event {n}") for n in range(5)]
    page = await acme.good("GET", "events?limit=2&offset=1")
    assert page["total"] == 5 and len(page["events"]) == 2
    whole = (await acme.good("GET", "events?limit=100"))["events"]
    assert {each["event_id"] for each in whole} == {each["event_id"] for each in made}
    for query in ("limit=0", "limit=101", "offset=-1", "limit=x"):
        await acme.refused("GET", f"events?{query}", None, 400)


async def test_the_plan_has_limits(acme: Organiser) -> None:
    await acme.create()
    limits = await acme.good("GET", "limits")
    assert limits["events"] == 1 and limits["max_events"] == 1_000
    await acme.refused("POST", "events", {"name": "x", "max_bitrate_kbps": 20_001}, 403, "PLAN_LIMIT")


async def test_a_create_is_done_once_for_its_key_and_the_stream_key_is_shown_again(acme: Organiser) -> None:
    answers = await asyncio.gather(*(acme.ask("POST", "events", {"name": "x"}, Idempotency_Key="k") for _ in range(4)))
    assert {each.content for each in answers} == {answers[0].content} and answers[0].status_code == 201
    assert (await acme.good("GET", "events"))["total"] == 1
    checked(await acme.ask("POST", "events", {"name": "y"}, Idempotency_Key="k"), 409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("step", ["live/start", "rehearsal/start", "stream-key/rotate"])
async def test_a_call_that_is_sent_again_is_answered_alike(acme: Organiser, step: str) -> None:
    made = await acme.create()
    one, two = [await acme.ask("POST", f"events/{made['event_id']}/{step}", Idempotency_Key="k") for _ in range(2)]
    assert (one.status_code, one.content) == (200, two.content) and two.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(("method", "path"), [("GET", "nope"), ("PUT", "events"), ("GET", "events/x/nope")])
async def test_errors_of_no_call_have_the_body_of_this_api_too(acme: Organiser, method: str, path: str) -> None:
    answer = await acme.ask(method, path)
    checked(answer, answer.status_code)
    assert answer.status_code in (404, 405)
