"""`/v1/webhooks`: making, listing, changing and removing them, whose they are, and what is refused."""

import asyncio
from typing import Any

from handlers.calendar.webhook_models import EventName
from tests.broker_server import API, BrokerServer
from tests.handlers.calendar.calls import Org, org_of
from tests.handlers.calendar.hooks import hook_of, later, quiet, took
from tests.receivers import Receiver

NAMES: tuple[str, ...] = EventName.__args__  # type: ignore[attr-defined]
URL = "https://hooks.example.com/a"
GOOD = {"url": URL, "events": ["event.created"]}


async def test_a_webhook_is_shown_with_its_secret_once(acme: Org) -> None:
    made = await acme.good("POST", "webhooks", {**GOOD, "more": 1})
    secret = made.pop("secret")
    assert secret.startswith("whsec_") and made["id"].startswith("whk_")
    assert made == {
        "id": made["id"],
        "org_id": "org_acme",
        **GOOD,
        "active": True,
        "consecutive_failures": 0,
        "first_failure_at": None,
        "created_at": made["created_at"],
    }
    whole = await acme.good("GET", f"webhooks/{made['id']}")
    assert {name: whole[name] for name in made} == made and whole.keys() - made.keys() == {"cursor", "gaps"}
    assert (await acme.good("GET", "webhooks"))["data"] == [made]
    assert await acme.good("PATCH", f"webhooks/{made['id']}", {"active": True}) == made


async def test_all_eighteen_names_may_be_asked_for(acme: Org) -> None:
    assert len(NAMES) == 18
    made = await acme.good("POST", "webhooks", {"url": URL, "events": list(NAMES)})
    assert made["events"] == list(NAMES)


async def test_a_list_is_paged_by_when_they_were_made(acme: Org) -> None:
    made = [await acme.good("POST", "webhooks", {**GOOD, "url": f"{URL}/{each}"}) for each in range(3)]
    page = await acme.good("GET", "webhooks?limit=2&offset=1")
    assert [each["id"] for each in page["data"]] == [each["id"] for each in made[1:]]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 1)
    assert await acme.good("GET", "webhooks?offset=9") == {"data": [], "total": 3, "limit": 20, "offset": 9}


async def test_a_bad_page_is_refused(acme: Org) -> None:
    made = await acme.good("POST", "webhooks", GOOD)
    for query in ("limit=0", "limit=101", "offset=-1", "limit=1&limit=2", "limit=x"):
        for path in ("webhooks", f"webhooks/{made['id']}/deliveries"):
            await acme.refused("GET", f"{path}?{query}", None, 400, "validation_error")


async def test_a_bad_webhook_is_refused_and_its_member_named(acme: Org) -> None:
    bodies: list[tuple[Any, str | None]] = [
        ([], None),
        ({}, "url"),
        ({"url": URL}, "events"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": "event.created"}, "events"),
        ({"url": URL, "events": ["event.moved"]}, "events.0"),
        ({"url": URL, "events": ["calendar.event.created"]}, "events.0"),
        ({"url": URL, "events": ["event.created"] * 65}, "events"),
        ({"url": 5, "events": ["event.created"]}, "url"),
        ({"url": "", "events": ["event.created"]}, "url"),
    ]
    for body, param in bodies:
        error = await acme.refused("POST", "webhooks", body, 400, "validation_error")
        assert error["param"] == param, body
    assert (await acme.good("GET", "webhooks"))["total"] == 0


async def test_a_bad_change_is_refused_and_changes_nothing(acme: Org) -> None:
    made = await acme.good("POST", "webhooks", GOOD)
    bad: list[Any] = [{}, [], {"more": 1}, {"active": None}, {"active": 1}, {"url": None}, {"events": []}]
    for body in [*bad, {"events": None, "active": False}, {"url": "http://10.0.0.1/", "active": False}]:
        await acme.refused("PATCH", f"webhooks/{made['id']}", body, 400, "validation_error")
    shown = await acme.good("GET", f"webhooks/{made['id']}")
    assert {name: shown[name] for name in GOOD} == GOOD and shown["active"] is True


async def test_an_agents_key_and_another_organisation_see_none_of_it(server: BrokerServer, acme: Org) -> None:
    made = await acme.good("POST", "webhooks", GOOD)
    agent = await org_of(server, agent=(await acme.make_agent())["id"])
    rival, path = await org_of(server, "rival"), f"webhooks/{made['id']}"
    for method, at, body in (
        ("GET", path, None),
        ("PATCH", path, {"active": False}),
        ("DELETE", path, None),
        ("GET", f"{path}/deliveries", None),
        ("POST", f"{path}/replay", {"cursor": "0" * 26}),
    ):
        await agent.refused(method, at, body, 403, "forbidden")
        await rival.refused(method, at, body, 404, "not_found")
        await rival.refused(method, at.replace(made["id"], "a%0Ab"), body, 404, "not_found")
    await agent.refused("GET", "webhooks", None, 403, "forbidden")
    await agent.refused("POST", "webhooks", GOOD, 403, "forbidden")
    assert (await rival.good("GET", "webhooks"))["total"] == 0
    assert (await acme.good("GET", path))["active"] is True


async def test_a_retried_call_does_nothing_twice(acme: Org) -> None:
    first = await acme.good("POST", "webhooks", GOOD, Idempotency_Key="k")
    assert await acme.good("POST", "webhooks", GOOD, Idempotency_Key="k") == first
    other = await acme.ask("POST", "webhooks", {**GOOD, "events": ["event.deleted"]}, Idempotency_Key="k")
    assert (other.status_code, other.json()["error"]["type"]) == (409, "conflict")
    assert (await acme.good("GET", "webhooks"))["total"] == 1
    path = f"webhooks/{first['id']}"
    changed = await acme.good("PATCH", path, {"active": False}, Idempotency_Key="p")
    await acme.good("PATCH", path, {"active": True})
    assert await acme.good("PATCH", path, {"active": False}, Idempotency_Key="p") == changed
    assert (await acme.good("GET", path))["active"] is True
    for _ in range(2):
        answer = await acme.ask("DELETE", path, Idempotency_Key="d")
        assert (answer.status_code, answer.content) == (204, b"")
    gone = await acme.ask("DELETE", path, Idempotency_Key="e")
    again = await acme.ask("DELETE", path, Idempotency_Key="e")
    assert gone.status_code == again.status_code == 404
    assert gone.json()["error"]["type"] == again.json()["error"]["type"] == "not_found"
    assert "Idempotency-Replayed" in again.headers


async def test_an_organisation_has_so_many_webhooks_however_many_ask_at_once(acme: Org) -> None:
    asked = [acme.ask("POST", "webhooks", {**GOOD, "url": f"{URL}/{each}"}) for each in range(52)]
    answers = await asyncio.gather(*asked)
    refused = [each.json()["error"] for each in answers if each.status_code == 429]
    assert [each["type"] for each in refused] == ["quota_exceeded"] * 2
    assert (await acme.good("GET", "webhooks"))["total"] == 50


async def test_neither_api_sees_the_webhooks_of_the_other(server: BrokerServer, acme: Org) -> None:
    made = await acme.good("POST", "webhooks", GOOD)
    path, headers = f"{API}/channels/calendar-org-acme/webhooks", {"Authorization": f"Bearer {acme.key}"}
    channels = await server.http.post(path, json={"url": URL}, headers=headers)
    assert channels.status_code == 201
    assert [each["id"] for each in (await acme.good("GET", "webhooks"))["data"]] == [made["id"]]
    await acme.refused("GET", f"webhooks/{channels.json()['id']}", None, 404, "not_found")
    await acme.refused("DELETE", f"webhooks/{channels.json()['id']}", None, 404, "not_found")
    for who in (headers, server.bearer("admin")):
        listed = (await server.http.get(path, headers=who)).json()["webhooks"]
        assert [each["id"] for each in listed] == [channels.json()["id"]]
        for at, method in (("", "GET"), ("", "DELETE"), ("/resume", "POST"), ("/deliveries", "GET")):
            answer = await server.http.request(method, f"{path}/{made['id']}{at}", headers=who)
            assert answer.status_code == 404, (at, method)


async def test_two_who_activate_at_once_skip_nothing_of_each_other(acme: Org, receiver: Receiver) -> None:
    hook = await hook_of(acme, receiver.url)
    await hook.patch(active=False)
    await asyncio.gather(*(hook.patch(active=True) for _ in range(6)))
    await later(acme)
    await took(receiver, 1)
    await quiet()
    assert len(receiver.requests) == 1 and (await hook.shown())["active"] is True
