"""The calls about events, over HTTP: the contract's sections 1 to 4, and its edge cases by name (section 9)."""

import asyncio
import json
from typing import Any

import pytest

from tests.handlers.cuey.calls import HOUR_MS, UNKNOWN, Team, team_of
from tests.handlers.cuey.test_wire import SEED


async def test_an_event_is_made_and_read_back(acme: Team) -> None:
    body = await acme.asked(payload={"message": "Hello!"}, headers={"Authorization": "Bearer token"}, method="PUT")
    answer = await acme.ask("POST", "events", body)
    assert answer.status_code == 201 and list(answer.json()) == ["data"]
    made = answer.json()["data"]
    assert list(made) == SEED
    assert {name: made[name] for name in body} == body
    assert (made["status"], made["executed_at"], made["cron_id"], made["retry_of"]) == ("pending", None, None, None)
    assert await acme.event(made["id"].upper()) == made
    read = await acme.ask("GET", f"events/{made['id']}")
    for each in (answer, read):
        assert each.headers["Tidemark-Channel"] == "cuey-team-acme" and len(each.headers["Tidemark-Cursor"]) == 26
        assert each.headers["Cache-Control"] == "private, no-store"


async def test_the_channel_tells_of_it_with_the_cursor_of_the_answer(acme: Team) -> None:
    made = await acme.ask("POST", "events", await acme.asked(payload="secret", headers={"X": "secret"}))
    [told] = await acme.told()
    assert (told["type"], told["id"], told["publisher_id"]) == (
        "cuey.event.created",
        made.headers["Tidemark-Cursor"],
        "system-cuey",
    )
    assert "secret" not in json.dumps(told)
    data = told["data"]
    assert (data["version"], data["status"], data["previous_status"], data["cause"]) == (1, "pending", None, "api")


@pytest.mark.parametrize("ms", [0, -1, -HOUR_MS])
async def test_a_time_that_is_not_later_than_now_is_refused(acme: Team, ms: int) -> None:
    error = await acme.refused("POST", "events", await acme.asked(ms), 400, "VALIDATION_ERROR")
    assert error["details"] == [{"path": ["scheduled_at"], "message": "must be later than now"}]
    assert await acme.listed() == []


async def test_ten_years_ahead_and_five_seconds_ahead_are_good(acme: Team) -> None:
    for ms in (10 * 365 * 24 * HOUR_MS, 5_000):
        await acme.schedule(ms)


async def test_payloads_come_back_as_they_were_given(acme: Team) -> None:
    payloads: list[Any] = [False, 0, "", [], {}, [1, {"a": "é🎉"}], "x" * 13_000, 12345678901234567890123]
    for payload in payloads:
        made = await acme.schedule(payload=payload)
        assert (await acme.event(made["id"]))["payload"] == payload


async def test_a_body_that_is_no_json_or_too_large_is_400(acme: Team) -> None:
    headers = {"Authorization": f"Bearer {acme.key}"}
    for content in (b"{", b"", b'{"a": NaN}', b"\xff"):
        answer = await acme.server.http.post("/api/v1/events", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    huge = await acme.asked(payload="x" * 300_000)
    await acme.refused("POST", "events", huge, 400, "VALIDATION_ERROR")
    enormous = await acme.asked(payload="x" * 3_000_000)
    await acme.refused("POST", "events", enormous, 400, "BAD_REQUEST")


async def test_without_a_key_it_is_401_even_with_a_broken_body(acme: Team) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {acme.key}x"}):
        answer = await acme.server.http.post("/api/v1/events", content=b"{", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    other = await team_of(acme.server, "acme", "lifecycle")
    await other.refused("GET", "events", None, 401, "UNAUTHORIZED")


async def test_what_is_not_there_comes_before_what_is_wrong_with_the_body(acme: Team) -> None:
    for event_id in (UNKNOWN, "x", "..%2Fcrons", "%00", "7b1f2f2e"):
        await acme.refused("PUT", f"events/{event_id}", {"webhook_url": 5}, 404, "NOT_FOUND")
        await acme.refused("GET", f"events/{event_id}", None, 404, "NOT_FOUND")
        await acme.refused("DELETE", f"events/{event_id}", None, 404, "NOT_FOUND")


async def test_another_teams_event_is_as_unknown_as_none(acme: Team, rival: Team) -> None:
    made = await acme.schedule()
    for method, body in (("GET", None), ("PUT", await rival.asked()), ("DELETE", None)):
        foreign = await rival.refused(method, f"events/{made['id']}", body, 404, "NOT_FOUND")
        assert foreign == await rival.refused(method, f"events/{UNKNOWN}", body, 404, "NOT_FOUND")
    assert await rival.listed() == [] and await acme.event(made["id"]) == made


async def test_a_put_changes_what_it_names_and_keeps_the_rest(acme: Team) -> None:
    made = await acme.schedule(payload={"a": 1}, headers={"X": "y"}, method="PATCH")
    await acme.advance(1_000)
    body = await acme.asked(2 * HOUR_MS, headers=None)
    changed = await acme.good("PUT", f"events/{made['id']}", body)
    assert (changed["payload"], changed["headers"], changed["method"]) == ({"a": 1}, None, "PATCH")
    assert changed["scheduled_at"] == body["scheduled_at"] and changed["updated_at"] > changed["created_at"]
    [_, told] = await acme.told()
    assert (told["type"], told["data"]["version"]) == ("cuey.event.updated", 2)
    assert told["data"]["changed"] == ["headers", "scheduled_at"]


async def test_a_put_with_one_bad_member_changes_nothing(acme: Team) -> None:
    made = await acme.schedule()
    body = await acme.asked(2 * HOUR_MS, payload="new", method="nope")
    await acme.refused("PUT", f"events/{made['id']}", body, 400, "VALIDATION_ERROR")
    for name in ("webhook_url", "scheduled_at"):
        partial = {key: value for key, value in (await acme.asked()).items() if key != name}
        error = await acme.refused("PUT", f"events/{made['id']}", partial, 400, "VALIDATION_ERROR")
        assert error["details"][0]["path"] == [name]
    assert await acme.event(made["id"]) == made


async def test_an_event_that_is_deleted_is_gone_and_never_called(acme: Team, receiver: Any) -> None:
    made = await acme.schedule()
    assert await acme.good("DELETE", f"events/{made['id']}") == {"success": True}
    await acme.refused("GET", f"events/{made['id']}", None, 404, "NOT_FOUND")
    await acme.refused("DELETE", f"events/{made['id']}", None, 404, "NOT_FOUND")
    other = await acme.schedule(HOUR_MS + 1)
    await acme.advance(2 * HOUR_MS)
    await acme.until(other["id"], "success")
    assert [each.headers["X-Cuey-Event-Id"] for each in receiver.requests] == [other["id"]]
    assert await acme.story(made["id"]) == ["created", "deleted"]


async def test_what_has_begun_or_ended_is_400_with_its_status(acme: Team) -> None:
    made = await acme.schedule()
    await acme.advance()
    await acme.until(made["id"], "success")
    for method, body in (("PUT", await acme.asked()), ("DELETE", None)):
        error = await acme.refused(method, f"events/{made['id']}", body, 400, "BAD_REQUEST")
        assert error["details"] == {"currentStatus": "success"}


async def test_lists_are_ordered_filtered_and_counted(acme: Team) -> None:
    made = [await acme.schedule(HOUR_MS * (1 + n % 3)) for n in range(7)]
    whole = await acme.listed()
    assert [each["scheduled_at"] for each in whole] == sorted((each["scheduled_at"] for each in made), reverse=True)
    pages: list[Any] = []
    for page in range(4):
        answer = (await acme.ask("GET", f"events?limit=2&page={page}")).json()
        assert answer["pagination"] == {"page": page, "limit": 2, "total": 7}
        pages += answer["data"]
    assert pages == whole
    await acme.refused("GET", "events?limit=2&page=4", None, 416, "INTERNAL_SERVER_ERROR")
    assert (await acme.ask("GET", "events?status=failed")).json() == {
        "data": [],
        "pagination": {"page": 0, "limit": 100, "total": 0},
    }
    await acme.refused("GET", "events?limit=0&status=x", None, 400, "VALIDATION_ERROR")


async def test_events_of_one_time_are_on_one_page_each(acme: Team) -> None:
    body = await acme.asked()
    made = {(await acme.good("POST", "events", body))["id"] for _ in range(9)}
    pages = [await acme.listed(f"limit=4&page={page}") for page in range(3)]
    assert sorted(each["id"] for page in pages for each in page) == sorted(made)


async def test_a_page_of_too_many_bytes_says_to_ask_for_fewer(acme: Team) -> None:
    body = await acme.asked(payload="x" * 250_000)
    for _ in range(68):
        await acme.good("POST", "events", body)
    error = await acme.refused("GET", "events?limit=100", None, 400, "BAD_REQUEST")
    assert "fewer" in error["message"]
    assert len(await acme.listed("limit=50")) == 50


@pytest.mark.parametrize(("method", "path"), [("PATCH", "events"), ("POST", "events/x"), ("GET", "events/x/y")])
async def test_errors_of_no_call_have_the_body_of_this_api_too(acme: Team, method: str, path: str) -> None:
    answer = await acme.ask(method, path, {})
    assert answer.status_code in (404, 405)
    assert answer.json()["error"].keys() == {"message", "code"}


async def test_ten_deletes_at_once_are_one_success(acme: Team) -> None:
    made = await acme.schedule()
    answers = await asyncio.gather(*(acme.ask("DELETE", f"events/{made['id']}") for _ in range(10)))
    assert sorted(each.status_code for each in answers) == [200, *[404] * 9]
    assert await acme.story(made["id"]) == ["created", "deleted"]
