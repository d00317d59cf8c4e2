"""The lifecycle API over HTTP: what calls do and tell, and the contract's edge cases by name (sections 5, 7 and 8)."""

import json

from tests.broker_server import BrokerServer
from tests.handlers.lifecycle.calls import ID, OTHER, SERVICE, UNKNOWN, Caller, fresh, plan, query


async def test_times_are_integers_of_nanoseconds_of_now(acme: Caller, broker_server: BrokerServer) -> None:
    before_ns = await broker_server.broker.engine.now_ms() * 1_000_000
    answer = await acme.ask("Create", {"arguments": [plan()]})
    after_ns = (await broker_server.broker.engine.now_ms() + 1) * 1_000_000
    assert before_ns <= answer.json()["events"][0]["create_time"] <= after_ns
    assert b"e+" not in answer.content and b'"start_time":0,' in answer.content


async def test_nanoseconds_come_back_exactly_at_every_door(acme: Caller) -> None:
    time_ns = 1_957_669_000_000_000_129
    assert int(float(time_ns)) != time_ns
    planned = {"schedule": 1, "planned_start_time": time_ns, "planned_finish_time": time_ns + 2}
    [made] = await acme.create(ID, **planned)
    [read] = await acme.good("Select", query(ID))
    [told] = await acme.told()
    for event in (made, read, told["data"]["event"]):
        assert (event["planned_start_time"], event["planned_finish_time"]) == (time_ns, time_ns + 2)


async def test_every_change_is_told_once_in_its_order_with_the_event_as_answered(acme: Caller) -> None:
    answers = [
        (await acme.create(ID))[0],
        *[(await acme.good(call, query(ID)))[0] for call in ("Start", "Start", "Cancel", "Cancel")],
    ]
    told = await acme.told()
    assert [each["type"].rpartition(".")[2] for each in told] == ["created", "started", "canceled"]
    assert [each["data"]["event"] for each in told] == [answers[0], answers[1], answers[3]]
    assert answers[1] == answers[2] and answers[3] == answers[4], "no-op repeats"
    assert [each["data"]["version"] for each in told] == [1, 2, 3]
    assert [each["data"]["previous_status"] for each in told] == [None, "StatusPending", "StatusStarted"]
    assert {each["publisher_id"] for each in told} == {"system-lifecycle"}


async def test_answers_say_the_channel_and_the_cursor_to_follow_from(acme: Caller) -> None:
    unknown = await acme.ask("Select", query(ID))
    assert unknown.status_code == 404
    made = await acme.ask("Create", {"arguments": [plan(), plan(OTHER)]})
    told = await acme.told()
    assert made.headers["Tidemark-Channel"] == told[0]["channel_id"] == "lifecycle-team-acme"
    assert made.headers["Tidemark-Cursor"] == told[1]["id"], "the last id appended"
    read = await acme.ask("Select", query(ID))
    repeated = await acme.ask("Create", {"arguments": [plan()]})
    for answer in (read, repeated):
        assert answer.headers["Tidemark-Cursor"] == told[1]["id"]
        assert answer.headers["Cache-Control"] == "private, no-store"


async def test_the_channel_lists_its_types_and_is_nobodys_elses(acme: Caller, rival: Caller) -> None:
    await acme.create(ID)
    path = "/api/v1/channels/lifecycle-team-acme"
    http, key = acme.server.http, {"Authorization": f"Bearer {acme.key}"}
    channel = (await http.get(path, headers=key)).json()
    assert set(channel["config"]["types"]) == {each["type"] for each in await acme.told()} | {
        f"lifecycle.event.{word}" for word in ("started", "finished", "canceled")
    }
    assert (await http.get(path, headers={"Authorization": f"Bearer {rival.key}"})).status_code == 403
    assert (await http.get(path)).status_code == 401
    assert (await http.post(f"{path}/events", headers=key, json={"data": 1})).status_code == 403


async def test_a_batch_of_50_with_one_bad_id_moves_nothing_and_tells_nothing(acme: Caller) -> None:
    ids = fresh(50)
    await acme.create(*ids)
    before = await acme.good("Select", query(*ids))
    await acme.refused("Start", query(*ids[:25], UNKNOWN, *ids[25:]), 404, "not_found")
    await acme.good("Cancel", query(ids[49]))
    error = await acme.refused("Start", query(*ids), 409, "failed_precondition")
    assert [each["id"] for each in error["details"]] == [ids[49]]
    assert await acme.good("Select", query(*ids[:49])) == before[:49]
    assert len(await acme.told()) == 51


async def test_the_answer_has_the_order_of_the_arguments_and_each_event_once(acme: Caller) -> None:
    ids = fresh(6)
    await acme.create(*ids)
    first, second = query(ids[4], ids[1]), query(ids[5], ids[4], ids[0])
    body = {"arguments": [*first["arguments"], *second["arguments"]]}
    for call in ("Start", "Select", "Finish"):
        assert [each["id"] for each in await acme.good(call, body)] == [ids[4], ids[1], ids[5], ids[0]]
    assert len(await acme.told()) == 6 + 4 + 4


async def test_another_companys_id_is_as_unknown_as_one_that_is_nowhere(acme: Caller, rival: Caller) -> None:
    await rival.create(OTHER)
    await acme.create(ID)
    for call in ("Start", "Finish", "Cancel", "Select"):
        theirs = await acme.refused(call, query(ID, OTHER), 404, "not_found")
        nowhere = await acme.refused(call, query(ID, UNKNOWN), 404, "not_found")
        assert json.dumps(theirs).replace(OTHER, UNKNOWN) == json.dumps(nowhere)
    assert (await acme.good("Select", query(ID)))[0]["status"] == "StatusPending"


async def test_two_companies_may_use_one_id(acme: Caller, rival: Caller) -> None:
    await acme.create(ID)
    await rival.create(ID, metadata={"title": "theirs"})
    await rival.good("Cancel", query(ID))
    assert (await acme.good("Select", query(ID)))[0]["status"] == "StatusPending"
    assert len(await acme.told()) == 1


async def test_create_again_after_a_lost_answer_is_answered_and_does_nothing(acme: Caller) -> None:
    [made] = await acme.create(ID)
    assert await acme.create(ID.upper()) == [made]
    [started] = await acme.good("Start", query(ID))
    assert await acme.create(ID) == [started]
    await acme.refused("Create", {"arguments": [plan(metadata={"title": "Other"})]}, 409, "already_exists")
    assert await acme.good("Select", query(ID)) == [started]
    assert len(await acme.told()) == 2


async def test_an_absent_id_is_made_up_anew_each_time(acme: Caller) -> None:
    body = {"arguments": [plan(None), plan(None)]}
    first, second = await acme.good("Create", body), await acme.good("Create", body)
    assert len({each["id"] for each in first + second}) == 4


async def test_a_page_of_elsewhere_may_call_from_a_browser(acme: Caller) -> None:
    """For development and testing, says the seed."""
    asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    preflight = await acme.server.http.options(f"{SERVICE}/Create", headers=asked)
    assert preflight.status_code == 204 and preflight.headers["Access-Control-Allow-Origin"] == "*"
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed and "content-type" in allowed
    answer = await acme.ask("Create", {"arguments": [plan()]}, Origin="http://localhost:3000")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Tidemark-Cursor" in answer.headers["Access-Control-Expose-Headers"]


async def test_the_largest_batch_is_one_commit_and_is_told_whole(acme: Caller) -> None:
    ids = fresh(60)
    await acme.create(*ids, metadata={"title": "x" * 16_000})
    await acme.good("Cancel", query(*ids))
    told = await acme.told()
    assert [each["data"]["subject"] for each in told] == [*ids, *ids]


async def test_an_ended_event_is_unknown_a_year_after_its_end(acme: Caller) -> None:
    await acme.create(ID, OTHER)
    await acme.good("Cancel", query(ID))
    acme.server.broker.engine.clock_offset_ms += 365 * 86_400_000 + 1_000
    await acme.refused("Select", query(ID), 404, "not_found")
    assert (await acme.good("Select", query(OTHER)))[0]["status"] == "StatusPending"


async def test_a_clock_that_steps_back_breaks_no_order(acme: Caller) -> None:
    engine = acme.server.broker.engine
    engine.clock_offset_ms += 60_000
    [made] = await acme.create(ID)
    engine.clock_offset_ms -= 60_000
    [started] = await acme.good("Start", query(ID))
    assert started["start_time"] == made["create_time"]
    [finished] = await acme.good("Finish", query(ID))
    assert finished["finish_time"] >= finished["start_time"]
