"""The calls about crons, over HTTP, and the events that crons keep ahead (contract section 6)."""

from itertools import pairwise
from typing import Any

import pytest

from broker.ids import parse_time
from tests.handlers.cuey.calls import HOUR_MS, UNKNOWN, Team
from tests.receivers import status


async def pending(team: Team, cron_id: str) -> list[Any]:
    return await team.listed(f"limit=1000&status=pending&cron_id={cron_id}")


async def test_a_cron_is_made_with_its_first_events_at_once(acme: Team) -> None:
    cron = await acme.repeat("*/10 * * * *", timezone="Europe/Berlin", payload={"a": 1}, headers={"X": "y"})
    assert await acme.good("GET", f"crons/{cron['id']}") == cron
    assert (cron["is_active"], cron["timezone"], cron["method"]) == (True, "Europe/Berlin", "POST")
    ahead = await pending(acme, cron["id"])
    assert len(ahead) == 20 and {each["cron_id"] for each in ahead} == {cron["id"]}
    assert all((each["payload"], each["headers"]) == ({"a": 1}, {"X": "y"}) for each in ahead)
    times = [parse_time(each["scheduled_at"]) for each in reversed(ahead)]
    assert {b - a for a, b in pairwise(times)} == {600_000}
    kinds = [each["type"] for each in await acme.told()]
    assert kinds == ["cuey.cron.created", *["cuey.event.created"] * 20]


async def test_each_call_of_a_cron_is_followed_by_the_next_one(acme: Team, receiver: Any) -> None:
    cron = await acme.repeat("0 * * * *")
    [*_, second, first] = await pending(acme, cron["id"])
    await acme.advance(HOUR_MS)
    await acme.until(first["id"], "success")
    ahead = await pending(acme, cron["id"])
    assert len(ahead) == 20 and ahead[-1] == second
    assert receiver.requests[0].headers["X-Cuey-Event-Id"] == first["id"]
    assert (await acme.good("GET", f"crons/{cron['id']}")) == cron


async def test_what_a_server_that_was_away_missed_is_not_made_up_for(acme: Team) -> None:
    cron = await acme.repeat("* * * * *")
    before = await pending(acme, cron["id"])
    await acme.advance(24 * HOUR_MS)
    for each in before:
        await acme.until(each["id"], "success", "failed")
    ahead = await pending(acme, cron["id"])
    now_ms = await acme.server.broker.engine.now_ms()
    assert 1 <= len(ahead) <= 20
    # Those that were ahead are late, not lost; between them and now there are none.
    assert len(await acme.listed(f"limit=1000&cron_id={cron['id']}")) <= 60
    assert all(parse_time(each["scheduled_at"]) > now_ms - 60_000 for each in ahead)


async def test_a_put_takes_the_pending_events_back_and_makes_new_ones(acme: Team) -> None:
    cron = await acme.repeat("* * * * *", payload=1, is_active=True)
    before = await pending(acme, cron["id"])
    body = {"webhook_url": acme.url, "cron_expression": "0 0 1 1 *"}
    changed = await acme.good("PUT", f"crons/{cron['id']}", body)
    assert (changed["cron_expression"], changed["payload"], changed["is_active"]) == ("0 0 1 1 *", 1, True)
    [only] = await pending(acme, cron["id"])
    assert only["id"] not in {each["id"] for each in before}
    for each in before[:3]:
        assert await acme.story(each["id"]) == ["created", "deleted"]
    error = await acme.refused("PUT", f"crons/{cron['id']}", {"webhook_url": acme.url}, 400, "VALIDATION_ERROR")
    assert error["details"][0]["path"] == ["cron_expression"]


async def test_an_inactive_cron_has_no_pending_events(acme: Team) -> None:
    cron = await acme.repeat("* * * * *", is_active=False)
    assert await pending(acme, cron["id"]) == []
    body = {"webhook_url": acme.url, "cron_expression": "* * * * *", "is_active": True}
    await acme.good("PUT", f"crons/{cron['id']}", body)
    assert len(await pending(acme, cron["id"])) == 20
    await acme.good("PUT", f"crons/{cron['id']}", body | {"is_active": False})
    assert await pending(acme, cron["id"]) == []
    told = [each["data"] for each in await acme.told() if each["type"] == "cuey.cron.updated"]
    assert [(each["previous_status"], each["status"]) for each in told] == [
        ("inactive", "active"),
        ("active", "inactive"),
    ]


async def test_a_cron_that_is_removed_takes_its_pending_events_with_it_and_not_its_retries(
    acme: Team, receiver: Any
) -> None:
    receiver.answer = status(500)
    retry = {"maxRetries": 1, "backoffMs": 5_000, "backoffType": "linear"}
    cron = await acme.repeat("0 * * * *", retry_config=retry)
    first = (await pending(acme, cron["id"]))[-1]
    await acme.advance(HOUR_MS)
    await acme.until(first["id"], "failed")
    assert await acme.good("DELETE", f"crons/{cron['id']}") == {"success": True}
    assert await pending(acme, cron["id"]) == []
    await acme.refused("GET", f"crons/{cron['id']}", None, 404, "NOT_FOUND")
    [retried] = [each for each in await acme.listed(f"cron_id={cron['id']}") if each["retry_of"] == first["id"]]
    await acme.advance(10_000)
    assert (await acme.until(retried["id"], "failed"))["cron_id"] == cron["id"]


async def test_an_event_of_a_cron_cannot_be_deleted_and_can_be_changed(acme: Team) -> None:
    cron = await acme.repeat("0 0 1 1 *")
    [made] = await pending(acme, cron["id"])
    await acme.refused("DELETE", f"events/{made['id']}", None, 400, "BAD_REQUEST")
    changed = await acme.good("PUT", f"events/{made['id']}", await acme.asked(HOUR_MS))
    assert changed["cron_id"] == cron["id"]
    await acme.advance(HOUR_MS)
    await acme.until(made["id"], "success")
    assert len(await pending(acme, cron["id"])) == 1


async def test_crons_are_listed_newest_first_and_by_activity(acme: Team, rival: Team) -> None:
    made = [await acme.repeat("0 0 1 1 *", is_active=n % 2 == 0) for n in range(4)]
    answer = (await acme.ask("GET", "crons?limit=3")).json()
    assert answer["pagination"] == {"page": 0, "limit": 3, "total": 4} and len(answer["data"]) == 3
    active = await acme.good("GET", "crons?is_active=true")
    assert {each["id"] for each in active} == {each["id"] for each in made[::2]}
    assert await rival.good("GET", "crons") == []
    for method in ("GET", "DELETE"):
        await rival.refused(method, f"crons/{made[0]['id']}", None, 404, "NOT_FOUND")
    await acme.refused("GET", "crons?page=1", None, 416, "INTERNAL_SERVER_ERROR")
    await acme.refused("GET", "crons?is_active=1", None, 400, "VALIDATION_ERROR")
    await acme.refused("PUT", f"crons/{UNKNOWN}", {}, 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "changed", [{"cron_expression": "0 0 30 2 *"}, {"timezone": "Mars/Base"}, {"webhook_url": "/x"}, {"method": "x"}]
)
async def test_a_bad_cron_is_refused(acme: Team, changed: dict[str, str]) -> None:
    body = {"webhook_url": acme.url, "cron_expression": "* * * * *", **changed}
    error = await acme.refused("POST", "crons", body, 400, "VALIDATION_ERROR")
    assert error["details"][0]["path"] == list(changed)
