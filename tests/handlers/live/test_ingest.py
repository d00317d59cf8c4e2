"""The hook of media servers: who may stream, under which name, and who is cut (contract sections 5 and 10)."""

import pytest

from tests.handlers.live.calls import SECRET, Organiser, checked

HOOK = "/v1/live-events/ingest"


async def test_an_encoder_is_sent_on_to_a_public_name(acme: Organiser) -> None:
    made = await acme.create()
    answer = await acme.media("publish", made["stream_key"])
    assert answer.status_code == 302 and made["stream_key"] not in answer.headers["Location"]
    health = await acme.good("GET", f"events/{made['event_id']}/health")
    assert (health["encoder_connected"], health["status"]) == (True, "ok")
    assert (await acme.media("update_publish", answer.headers["Location"])).status_code == 200
    assert (await acme.media("publish_done", answer.headers["Location"])).status_code == 200
    assert (await acme.good("GET", f"events/{made['event_id']}/ingest"))["connected"] is False
    assert await acme.kinds() == ["event.created", "ingest.connected", "ingest.disconnected"]


async def test_the_same_in_json(acme: Organiser) -> None:
    made, http = await acme.create(), acme.server.http
    headers = {"X-Ingest-Secret": SECRET}
    answer = await http.post(HOOK, json={"call": "publish", "name": made["stream_key"]}, headers=headers)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    stream = answer.json()["stream"]
    answer = await http.post(HOOK, json={"call": "update_publish", "name": stream}, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


@pytest.mark.parametrize("headers", [{}, {"X-Ingest-Secret": "wrong"}, {"Authorization": f"Bearer {SECRET}"}])
async def test_without_the_secret_it_is_401(acme: Organiser, headers: dict[str, str]) -> None:
    made = await acme.create()
    answer = await acme.server.http.post(HOOK, json={"call": "publish", "name": made["stream_key"]}, headers=headers)
    checked(answer, 401, "AUTH_FAILED")
    assert await acme.kinds() == ["event.created"]


@pytest.mark.parametrize("body", [{}, {"call": "publish"}, {"call": "play", "name": "x"}, {"call": 5, "name": "x"}, []])
async def test_what_is_malformed_is_400(acme: Organiser, body: object) -> None:
    checked(await acme.server.http.post(HOOK, json=body, headers={"X-Ingest-Secret": SECRET}), 400)
    answer = await acme.server.http.post(HOOK, content=b"\xff=%", headers={"X-Ingest-Secret": SECRET})
    checked(answer, 400)


@pytest.mark.parametrize("name", ["x", "sk_", "sk_00" + "A" * 43, "sk_99" + "A" * 43, "00" + "A" * 22])
async def test_who_has_no_key_is_refused(acme: Organiser, name: str) -> None:
    assert (await acme.media("publish", name)).status_code == 403
    assert (await acme.media("update_publish", name)).status_code == 403


async def test_the_public_name_is_no_key(acme: Organiser) -> None:
    made = await acme.create()
    stream = await acme.stream(made["stream_key"])
    assert (await acme.media("publish", stream)).status_code == 403


async def test_a_rotated_key_is_refused_and_who_streams_with_it_is_cut(acme: Organiser) -> None:
    made = await acme.create()
    await acme.to(made, "rehearsal/start")
    stream = await acme.stream(made["stream_key"])
    rotated = await acme.good("POST", f"events/{made['event_id']}/stream-key/rotate")
    assert (await acme.media("publish", made["stream_key"])).status_code == 403
    assert (await acme.media("update_publish", stream)).status_code == 403
    assert await acme.stream(rotated["stream_key"]) != stream
    assert made["stream_key"] not in str(await acme.told()) and rotated["stream_key"] not in str(await acme.told())


async def test_who_streams_to_an_event_that_has_stopped_is_cut(acme: Organiser) -> None:
    made = await acme.create()
    await acme.to(made, "live/start")
    stream = await acme.stream(made["stream_key"])
    assert (await acme.media("update_publish", stream)).status_code == 200
    await acme.to(made, "live/stop")
    assert (await acme.media("update_publish", stream)).status_code == 403
    assert (await acme.media("publish", made["stream_key"])).status_code == 403


async def test_an_encoder_starts_an_event_that_wants_that_and_no_other(acme: Organiser) -> None:
    auto, plain = await acme.create(auto_start_on_ingest=True), await acme.create()
    await acme.stream(auto["stream_key"])
    await acme.stream(plain["stream_key"])
    assert ((await acme.show(auto))["status"], (await acme.show(plain))["status"]) == ("live", "ready")
    causes = [each["data"]["cause"] for each in await acme.told() if each["type"] == "live.event.started"]
    assert causes == ["ingest"]


async def test_an_encoder_that_comes_back_has_a_session_of_its_own_and_the_event_stays_live(acme: Organiser) -> None:
    made = await acme.create(auto_start_on_ingest=True)
    for _ in range(3):
        stream = await acme.stream(made["stream_key"])
        await acme.advance(10_000)
        await acme.media("publish_done", stream)
        await acme.media("record_done", stream)
    assert (await acme.show(made))["status"] == "live"
    sessions = (await acme.good("GET", f"events/{made['event_id']}/sessions"))["sessions"]
    assert len(sessions) == 3 and [each["status"] for each in sessions] == ["ended", "ended", "active"]
    await acme.to(made, "live/stop")
    await acme.until("event.ended")
    recordings = (await acme.good("GET", f"events/{made['event_id']}/recordings"))["recordings"]
    assert [(each["status"], each["duration_seconds"]) for each in recordings] == [("finalised", 10)] * 3
    assert (await acme.good("GET", f"events/{made['event_id']}/stats"))["recorded_seconds"] == 30


async def test_of_two_recordings_the_one_that_is_whole_is_replayed(acme: Organiser) -> None:
    made = await acme.create(auto_start_on_ingest=True)
    for failed in ("true", "false"):
        stream = await acme.stream(made["stream_key"])
        await acme.advance(10_000)
        await acme.media("publish_done", stream)
        await acme.media("record_done", stream, failed=failed)
    await acme.to(made, "live/stop")
    await acme.until("replay.published")
    recordings = (await acme.good("GET", f"events/{made['event_id']}/recordings"))["recordings"]
    assert [each["status"] for each in recordings] == ["failed", "finalised"]
    assert (await acme.sees(made["slug"]))["replay_playback"]["recording_id"] == recordings[1]["recording_id"]
