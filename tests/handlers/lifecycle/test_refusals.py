"""What the lifecycle API refuses over HTTP, in its own error body (contract sections 6 and 8)."""

import json
from typing import Any

import pytest

from broker.api_keys import KeyRequest
from tests.broker_server import BrokerServer
from tests.handlers.lifecycle.calls import ID, OTHER, SERVICE, Caller, caller_of, fresh, plan, query

CALLS = ("Create", "Start", "Finish", "Cancel", "Select")


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
