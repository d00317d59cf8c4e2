"""The lifecycle API over HTTP: the seed's samples, and the edge cases of the contract (5, 6 and 8) by their names."""

import json
from pathlib import Path
from typing import Any

import pytest

from broker.api_keys import KeyRequest
from tests.broker_server import BrokerServer
from tests.handlers.lifecycle.calls import ID, OTHER, SERVICE, UNKNOWN, Caller, caller_of, fresh, plan, query

SAMPLES = Path(__file__).parent / "samples"
CALLS = ("Create", "Start", "Finish", "Cancel", "Select")
GENERATED = ("chat_id", "room_id")
TIMES = ("start_time", "cancel_time", "finish_time", "access_time", "create_time", "update_time")


def sample(call: str) -> dict[str, Any]:
    """A call of the seed: its request and its response, letter by letter."""
    value: dict[str, Any] = json.loads((SAMPLES / f"{call}.json").read_text())
    return value


def without_what_is_made_up(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its times told only as set, unset or the same as another."""
    times = sorted({event[name] for name in TIMES})
    return {**event, **dict.fromkeys(GENERATED), **{name: times.index(event[name]) for name in TIMES}}


async def test_the_seeds_samples_are_answered_as_in_the_seed(acme: Caller) -> None:
    """Create, Start, Finish in one life; the canceled sample had been started."""
    first: dict[str, Any] = {}
    for call in ("Create", "Start", "Finish"):
        [event] = await acme.good(call, sample(call)["request"])
        expected = sample(call)["response"]["events"][0]
        assert list(event) == list(expected)
        own, seeds = without_what_is_made_up(event), without_what_is_made_up(expected)
        if call == "Finish":
            # In the seed the event was finished at the moment of its start.
            assert own.pop("finish_time") >= seeds.pop("finish_time")
        assert own == seeds
        first = first or event
        assert [event[name] for name in GENERATED] == [first[name] for name in GENERATED]


async def test_the_seeds_canceled_sample_keeps_its_start_time(acme: Caller) -> None:
    for call in ("Create", "Start", "Cancel"):
        [event] = await acme.good(call, sample(call)["request"])
    expected = sample("Cancel")["response"]["events"][0]
    assert list(event) == list(expected) and event["status"] == expected["status"]
    assert {name for name in TIMES if not event[name]} == {name for name in TIMES if not expected[name]}
    assert event["create_time"] == event["update_time"] == event["access_time"] <= event["start_time"]
    assert event["start_time"] <= event["cancel_time"]


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


async def test_each_move_that_the_table_has_not_is_failed_precondition(acme: Caller) -> None:
    pending, finished, canceled = fresh(3)
    await acme.create(pending, finished, canceled)
    await acme.good("Start", query(finished))
    await acme.good("Finish", query(finished))
    await acme.good("Cancel", query(canceled))
    before = await acme.good("Select", query(pending, finished, canceled))
    moves = [(pending, "Finish"), (finished, "Start"), (finished, "Cancel"), (canceled, "Start"), (canceled, "Finish")]
    for event_id, call in moves:
        error = await acme.refused(call, query(event_id), 409, "failed_precondition")
        assert error["details"][0]["id"] == event_id and event_id in error["message"]
    assert await acme.good("Select", query(pending, finished, canceled)) == before


@pytest.mark.parametrize("call", CALLS)
async def test_who_may_not_call_is_told_so_before_anything_else(broker_server: BrokerServer, call: str) -> None:
    url, http = f"{SERVICE}/{call}", broker_server.http
    cuey = (await caller_of(broker_server, "acme", "cuey", "live")).key
    revoked, key = await broker_server.broker.api_keys.create(KeyRequest("acme", ("lifecycle",)))
    await broker_server.broker.api_keys.revoke(key.id)
    cases = [(None, 401), ("Basic x", 401), ("Bearer x.y.z", 401), (f"Bearer tm_00{'a' * 40}", 401)]
    cases += [
        (f"Bearer {revoked}", 401),
        (f"Bearer {cuey}", 403),
        (broker_server.bearer("admin")["Authorization"], 403),
    ]
    for credential, status in cases:
        headers = {} if credential is None else {"Authorization": credential}
        answer = await http.post(url, content=b"{", headers=headers)
        assert answer.status_code == status, credential
        assert answer.json()["code"] == ("unauthenticated" if status == 401 else "permission_denied")
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert ("WWW-Authenticate" in answer.headers) is (status == 401)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b'"x"', b'{"arguments":[NaN]}', b"1" * 400])
@pytest.mark.parametrize("call", CALLS)
async def test_what_is_no_good_body_is_a_json_error(acme: Caller, call: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {acme.key}", "Content-Type": "application/json"}
    answer = await acme.server.http.post(f"{SERVICE}/{call}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")


async def test_a_body_of_another_content_type_is_a_json_error(acme: Caller) -> None:
    headers = {"Authorization": f"Bearer {acme.key}"}
    content = json.dumps({"arguments": [plan()]}).encode()
    for media_type, status in {
        "text/plain": 400,
        "application/json; charset=utf-8": 200,
        "Application/JSON": 200,
    }.items():
        sent = {**headers, "Content-Type": media_type}
        answer = await acme.server.http.post(f"{SERVICE}/Create", content=content, headers=sent)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/json"
    assert (await acme.server.http.post(f"{SERVICE}/Create", content=content, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Create", 405),
        ("PUT", "/Start", 405),
        ("DELETE", "/Select", 405),
        ("POST", "/Delete", 404),
        ("POST", "/create", 404),
        ("POST", "/Create/", 404),
        ("POST", "/", 404),
        ("POST", "", 404),
    ],
)
async def test_unknown_calls_and_methods_have_the_error_body_of_this_api(
    acme: Caller, method: str, path: str, status: int
) -> None:
    answer = await acme.server.http.request(method, f"{SERVICE}{path}", headers={"Authorization": f"Bearer {acme.key}"})
    assert (answer.status_code, answer.json()["code"]) == (status, "unimplemented")
    if status == 405:
        assert answer.headers["Allow"] == "POST"


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


async def test_a_body_over_the_limit_is_refused_before_it_is_read(acme: Caller) -> None:
    ids = fresh(80)
    body = {"arguments": [plan(each, metadata={"title": "x" * 15_000}) for each in ids]}
    await acme.refused("Create", body, 413, "invalid_argument")
    assert await acme.told() == []


async def test_bad_values_name_the_argument_and_the_member(acme: Caller) -> None:
    body = {"arguments": [plan(OTHER), plan(planned_start_time=1.757669e18)]}
    error = await acme.refused("Create", body, 400, "invalid_argument")
    assert (error["details"][0]["argument"], error["details"][0]["field"]) == (1, "planned_start_time")
    assert error["details"][0]["id"] == ID
    await acme.refused("Select", query(OTHER), 404, "not_found")


async def test_the_largest_batch_is_one_commit_and_is_told_whole(acme: Caller) -> None:
    ids = fresh(60)
    await acme.create(*ids, metadata={"title": "x" * 16_000})
    await acme.good("Cancel", query(*ids))
    told = await acme.told()
    assert [each["data"]["subject"] for each in told] == [*ids, *ids]


async def test_a_defect_is_told_in_the_body_of_this_api(acme: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("handlers.lifecycle.decisions.selected", fail)
    error = await acme.refused("Select", query(ID), 500, "internal")
    assert error["message"] == "Internal Server Error"


async def test_the_number_of_open_events_is_bounded(acme: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.lifecycle.decisions.MOST_OPEN", 3)
    ids = fresh(4)
    await acme.create(*ids[:3])
    answer = await acme.ask("Create", {"arguments": [plan(ids[3])]})
    assert (answer.status_code, answer.json()["code"]) == (429, "resource_exhausted") and answer.headers["Retry-After"]
    await acme.create(ids[0])
    await acme.good("Cancel", query(ids[1]))
    await acme.create(ids[3])


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
