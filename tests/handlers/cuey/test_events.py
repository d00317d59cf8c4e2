"""What is told: of the form of its schema, and with nothing in it that may be secret (contract section 8)."""

from dataclasses import replace
from typing import Any

import jsonschema_rs
import orjson
import pytest

from broker.change import Emitted
from handlers.cuey.crons import Cron
from handlers.cuey.events import TYPES, host_of, team_of, told, told_of_cron, told_of_outcome
from handlers.cuey.machine import Outcome, RetryConfig, ScheduledWebhook, Status, Target, begun, finished
from handlers.model_schemas import schema_of

SECRET = "hunter2"
ID = "7b1f2f2e-0000-4000-8000-000000000001"
NEW = "7b1f2f2e-0000-4000-8000-000000000002"
TARGET = Target(f"https://A.example:8443/{SECRET}?t={SECRET}", "PUT", {"Authorization": SECRET}, {"password": SECRET})
WEBHOOK = ScheduledWebhook(ID, TARGET, 1_000, 1, 2)
CRON = Cron(ID, "* * * * *", "UTC", TARGET, True, 1, 2)
DEFAULT = RetryConfig(1, 500, "linear")
BAD = Outcome(500, {"set-cookie": SECRET}, SECRET, "The receiver answered 500", 7)


def data_of(emitted: Emitted) -> tuple[str, dict[str, Any]]:
    value = orjson.loads(b"{" + emitted.event.tail)
    return value["type"], value["data"]


def all_told() -> list[Emitted]:
    running = begun(WEBHOOK, 1_000)
    failed = finished(running, BAD, DEFAULT, NEW, 1_100)
    assert failed.retry is not None
    last = finished(begun(failed.retry.webhook, 1_700), BAD, DEFAULT, NEW, 1_800)
    good = finished(running, BAD._replace(status=204, error=None), DEFAULT, NEW, 1_100)
    return [
        told("acme", "created", WEBHOOK, None, "api"),
        told("acme", "updated", WEBHOOK, Status.PENDING, "api", changed=["payload"]),
        told("acme", "deleted", WEBHOOK, Status.PENDING, "api"),
        told("acme", "processing", running, Status.PENDING, "timer", attempt=1),
        *told_of_outcome("acme", good),
        *told_of_outcome("acme", failed),
        *told_of_outcome("acme", last),
        told_of_cron("acme", "created", CRON, None),
        told_of_cron("acme", "updated", replace(CRON, is_active=False), True),
        told_of_cron("acme", "deleted", CRON, True),
    ]


def test_each_type_is_told_in_the_form_of_its_schema() -> None:
    seen = [data_of(each) for each in all_told()]
    assert {kind for kind, _ in seen} == set(TYPES)
    for kind, data in seen:
        jsonschema_rs.validate(schema_of(TYPES[kind]), data)


def test_nothing_that_is_told_holds_a_secret() -> None:
    for each in all_told():
        assert SECRET.encode() not in each.event.tail
        assert b"a.example:8443" in each.event.tail
        assert each.event.publisher == "system-cuey"


def test_a_failure_says_what_follows_from_it() -> None:
    failed = finished(begun(WEBHOOK, 1_000), BAD, DEFAULT, NEW, 1_100)
    (first, data), (second, retried) = map(data_of, told_of_outcome("acme", failed))
    assert (first, second) == ("cuey.event.failed", "cuey.event.retried")
    assert (data["will_retry"], data["retries_left"], data["response_status"]) == (True, 1, 500)
    assert (retried["subject"], retried["retry_of"], retried["attempt"], retried["delay_ms"]) == (NEW, ID, 2, 500)
    assert failed.retry is not None
    last = finished(begun(failed.retry.webhook, 1_700), BAD, DEFAULT, "x", 1_800)
    (_, data), (kind, exhausted) = map(data_of, told_of_outcome("acme", last))
    assert (data["will_retry"], data["retries_left"]) == (False, 0)
    assert (kind, exhausted["attempts"], exhausted["retry_of"]) == ("cuey.event.exhausted", 2, ID)


def test_the_channel_is_private_and_lists_its_types() -> None:
    team = team_of("acme")
    assert (team.id, team.is_public) == ("cuey-team-acme", False)
    assert team.config is not None and set(team.config["types"]) == set(TYPES)


@pytest.mark.parametrize(("url", "host"), [("https://A.example/x", "a.example"), ("http://[::1]:80/", "[::1]:80")])
def test_of_a_url_the_host_is_told(url: str, host: str) -> None:
    assert host_of(url) == host
