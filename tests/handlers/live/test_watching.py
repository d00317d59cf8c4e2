"""What viewers do, over HTTP: what they see, how they prove who they are, what playing uses up (contract 4, 5, 7)."""

import asyncio
from typing import Any

import pytest

from tests.handlers.live.calls import DAY_MS, HOUR_MS, Json, Organiser, checked

GATED = {"visibility_mode": "password", "password": "s3cret"}
TOKENS = {"visibility_mode": "token"}


def check_rules(seen: Json) -> None:
    """What holds in every state (contract section 4)."""
    assert (seen["playback_mode"] == "live") is (seen["live_playback"] is not None)
    assert (seen["playback_mode"] == "replay") is (seen["replay_playback"] is not None)
    assert seen["requires_auth"] is (seen["auth_type"] is not None)
    assert seen["requires_auth"] or seen["watch_state"] != "access_required"


async def token(acme: Organiser, made: Json, **settings: Any) -> str:
    answer = await acme.good("POST", f"events/{made['event_id']}/tokens", settings)
    return str(answer["token"])


async def test_a_public_event_is_seen_through_its_life(acme: Organiser) -> None:
    made = await acme.create()
    slug, seen = made["slug"], []
    for step in ("rehearsal/start", "live/start", "live/stop"):
        seen.append(await acme.sees(slug))
        await acme.to(made, step)
    stream = made["stream_key"]
    seen.append(await acme.sees(slug))
    for each in seen:
        check_rules(each)
    assert [each["watch_state"] for each in seen] == ["not_started", "rehearsal_hidden", "live", "processing_replay"]
    assert seen[2]["live_playback"]["protocol"] == "hls" and stream not in seen[2]["live_playback"]["url"]
    assert await acme.seen(slug) == [
        ("not_started", "not_started"),
        ("rehearsal_hidden", "rehearsal_hidden"),
        ("live", "live"),
        ("processing_replay", "processing_replay"),
    ]


async def test_what_is_not_there_is_404_alike(acme: Organiser) -> None:
    made = await acme.create()
    await acme.good("DELETE", f"events/{made['event_id']}")
    texts = {(await acme.watch(slug)).text for slug in (made["slug"], "unknown", "UPPER", "x")}
    assert len(texts) == 1
    checked(await acme.watch("unknown"), 404)


async def test_a_gated_event_is_shut_and_opens_with_the_password(acme: Organiser) -> None:
    made = await acme.create(**GATED)
    await acme.to(made, "live/start")
    shut = await acme.sees(made["slug"])
    check_rules(shut)
    assert (shut["watch_state"], shut["live_playback"], shut["auth_type"]) == ("access_required", None, "password")
    answer = await acme.verify(made["slug"], "password", "s3cret")
    opened = answer.json()
    assert opened["verified"] is True and opened["access_grant"].startswith("ag_")
    assert (opened["watch_state"], opened["playback_mode"]) == ("live", "live")
    assert "md5=" in opened["live_playback"]["url"] and answer.headers["Cache-Control"] == "no-store"
    assert await acme.seen(made["slug"]) == [("not_started", "not_started"), ("access_required", "live")]


@pytest.mark.parametrize("text", ["wrong", "", "S3cret", "s3cret ", "x" * 200])
async def test_a_wrong_password_is_403_with_verified_false(acme: Organiser, text: str) -> None:
    made = await acme.create(**GATED)
    body = checked(await acme.verify(made["slug"], "password", text), 403, "ACCESS_DENIED")
    assert body["verified"] is False


async def test_what_is_no_password_is_400_before_anything_is_hashed(acme: Organiser) -> None:
    made = await acme.create(**GATED)
    for text in (None, 5, "x" * 201, "x" * 1_000_000):
        checked(await acme.verify(made["slug"], "password", text), 400)


async def test_the_other_way_of_an_event_is_400(acme: Organiser) -> None:
    for settings, kind in (
        (GATED, "token"),
        (TOKENS, "password"),
        ({}, "password"),
        ({"visibility_mode": "tenant_only"}, "token"),
    ):
        made = await acme.create(**settings)
        checked(await acme.verify(made["slug"], kind, "x"), 400, "WRONG_ACCESS_MODE")


async def test_a_token_opens_and_its_use_is_counted_when_playback_starts(acme: Organiser) -> None:
    made = await acme.create(**TOKENS)
    text = await token(acme, made, label="press", max_uses=2)
    grant = await acme.grant(made["slug"], "token", text)
    path = f"events/{made['event_id']}/tokens"
    [listed] = (await acme.good("GET", path))["tokens"]
    assert listed["use_count"] == 0 and text not in str(listed)
    first, again = [(await acme.consume(made["slug"], grant)).json() for _ in range(2)]
    assert first == {"consumed": True, "already_consumed": False}
    assert again == {"consumed": True, "already_consumed": True}
    [listed] = (await acme.good("GET", path))["tokens"]
    assert listed["use_count"] == 1
    assert (await acme.kinds()).count("grant.consumed") == 1


async def test_fifty_grants_of_a_token_for_one_use_are_one_playback(acme: Organiser) -> None:
    made = await acme.create(**TOKENS)
    text = await token(acme, made, max_uses=1)
    grants = await asyncio.gather(*(acme.grant(made["slug"], "token", text) for _ in range(50)))
    answers = await asyncio.gather(*(acme.consume(made["slug"], each) for each in grants))
    assert sorted(each.status_code for each in answers) == [200, *[403] * 49]
    assert (await acme.kinds()).count("token.exhausted") == 1
    checked(await acme.verify(made["slug"], "token", text), 403)


async def test_fifty_uses_of_one_grant_are_counted_once(acme: Organiser) -> None:
    made = await acme.create(**TOKENS)
    grant = await acme.grant(made["slug"], "token", await token(acme, made))
    answers = await asyncio.gather(*(acme.consume(made["slug"], grant) for _ in range(50)))
    assert {each.status_code for each in answers} == {200}
    assert sum(not each.json()["already_consumed"] for each in answers) == 1
    [listed] = (await acme.good("GET", f"events/{made['event_id']}/tokens"))["tokens"]
    assert listed["use_count"] == 1


async def test_whatever_a_token_is_not_good_for_is_refused_alike(acme: Organiser) -> None:
    made, other = await acme.create(**TOKENS), await acme.create(**TOKENS)
    expired = await token(acme, made, expires_at=await acme.in_ms(1_000))
    foreign = await token(acme, other)
    await acme.advance(1_000)
    bodies = [checked(await acme.verify(made["slug"], "token", each), 403) for each in (expired, foreign, "wt_x", "")]
    assert bodies[0] == bodies[1] == bodies[2] == bodies[3] and bodies[0]["verified"] is False


async def test_a_grant_ends_with_its_time_or_its_token_whichever_is_first(acme: Organiser) -> None:
    made = await acme.create(**TOKENS)
    short = await acme.grant(made["slug"], "token", await token(acme, made, expires_at=await acme.in_ms(60_000)))
    long = await acme.grant(made["slug"], "token", await token(acme, made))
    used = await acme.grant(made["slug"], "token", await token(acme, made))
    assert (await acme.consume(made["slug"], used)).status_code == 200
    await acme.advance(60_000)
    checked(await acme.consume(made["slug"], short), 403, "GRANT_INVALID")
    await acme.advance(240_000)
    checked(await acme.consume(made["slug"], long), 403, "GRANT_INVALID")
    assert (await acme.consume(made["slug"], used)).json()["already_consumed"] is True


async def test_a_grant_is_good_for_its_event_and_until_the_password_changes(acme: Organiser) -> None:
    made, other = await acme.create(**GATED), await acme.create(**GATED)
    grant = await acme.grant(made["slug"], "password", "s3cret")
    foreign = checked(await acme.consume(other["slug"], grant), 403)
    unknown = checked(await acme.consume(made["slug"], "ag_unknown"), 403)
    assert foreign == unknown
    await acme.good("PATCH", f"events/{made['event_id']}", {"password": "another"})
    assert checked(await acme.consume(made["slug"], grant), 403) == unknown
    grant = await acme.grant(made["slug"], "password", "another")
    await acme.good("DELETE", f"events/{made['event_id']}")
    checked(await acme.consume(made["slug"], grant), 404)


async def test_one_address_that_fails_again_and_again_waits_and_no_other_does(acme: Organiser) -> None:
    made = await acme.create(**TOKENS)
    text = await token(acme, made)
    for _ in range(10):
        checked(await acme.verify(made["slug"], "token", "wt_x", X_Forwarded_For="198.51.100.7"), 403)
    answer = await acme.verify(made["slug"], "token", text, X_Forwarded_For="198.51.100.7")
    checked(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0
    assert (await acme.verify(made["slug"], "token", text, X_Forwarded_For="198.51.100.8")).status_code == 200


async def test_who_succeeds_is_not_counted(acme: Organiser) -> None:
    made = await acme.create(**TOKENS)
    text = await token(acme, made)
    for _ in range(15):
        assert (await acme.verify(made["slug"], "token", text)).status_code == 200


async def test_an_anonymous_answer_may_be_kept_and_a_members_may_not(acme: Organiser, rival: Organiser) -> None:
    made = await acme.create(visibility_mode="tenant_only")
    await acme.to(made, "live/start")
    anonymous, own = await acme.watch(made["slug"]), await acme.watch(made["slug"], X_API_Key=acme.key)
    foreign = await acme.watch(made["slug"], Authorization=f"Bearer {rival.key}")
    bad = await acme.watch(made["slug"], X_API_Key="YOUR_API_KEY")
    assert [each.json()["watch_state"] for each in (anonymous, own, foreign, bad)] == [
        "access_required", "live", "access_required", "access_required",
    ]  # fmt: skip
    assert anonymous.headers["Cache-Control"].startswith("public, s-maxage=") and anonymous.headers["ETag"]
    for each in (own, foreign, bad):
        assert each.headers["Cache-Control"] == "private, no-store"
    assert {each.headers["Vary"] for each in (anonymous, own, bad)} == {"Authorization, X-API-Key"}
    again = await acme.watch(made["slug"], If_None_Match=anonymous.headers["ETag"])
    assert again.status_code == 304


async def test_the_state_names_the_channel_and_the_cursor_to_follow_it_from(acme: Organiser) -> None:
    made = await acme.create()
    answer = await acme.watch(made["slug"])
    channel, cursor = answer.headers["Tidemark-Channel"], answer.headers["Tidemark-Cursor"]
    assert channel == f"live-watch-{made['slug']}" == made["watch_channel"]
    await acme.to(made, "live/start")
    page = await acme.server.http.get(f"/api/v1/channels/{channel}/events?cursor={cursor}")
    assert [each["data"]["watch_state"] for each in page.json()["events"]] == ["live"]


async def test_a_replay_is_seen_until_its_retention_ends(acme: Organiser) -> None:
    made = await acme.create(retention_days=2)
    await acme.to(made, "live/start")
    stream = await acme.stream(made["stream_key"])
    await acme.advance(60_000)
    await acme.to(made, "live/stop")
    await acme.until("event.processed")
    assert (await acme.media("record_done", stream, path="/x.flv")).status_code == 200
    await acme.until("replay.published")
    seen = await acme.sees(made["slug"])
    check_rules(seen)
    assert (seen["watch_state"], seen["replay_playback"]["duration_seconds"]) == ("replay_available", 60)
    await acme.advance(2 * DAY_MS)
    await acme.until("replay.expired")
    assert (await acme.sees(made["slug"]))["watch_state"] == "ended_no_replay"
    assert (await acme.seen(made["slug"]))[-1] == ("ended_no_replay", "ended_no_replay")


async def test_a_rehearsal_that_is_stopped_leaves_no_replay(acme: Organiser) -> None:
    made = await acme.create()
    await acme.to(made, "rehearsal/start", "live/stop")
    await acme.until("event.ended")
    assert (await acme.sees(made["slug"]))["watch_state"] == "ended_no_replay"
    assert (await acme.good("GET", f"events/{made['event_id']}/recordings"))["recordings"] == []


async def test_what_is_never_made_whole_is_given_up(acme: Organiser) -> None:
    made = await acme.create()
    await acme.to(made, "live/start", "live/stop")
    await acme.until("event.processed")
    await acme.advance(HOUR_MS + 1_000)
    await acme.until("event.ended")
    assert (await acme.sees(made["slug"]))["watch_state"] == "ended_no_replay"
    assert (await acme.kinds()).count("recording.failed") == 1
