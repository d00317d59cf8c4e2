"""Bodies: taken strictly, told whole what is wrong with them, and shown as the seed shows them (contract 2 and 3)."""

from dataclasses import replace
from typing import Any

import pytest

from broker.errors import Invalid
from handlers.cuey.crons import Cron
from handlers.cuey.machine import Outcome, RetryConfig, ScheduledWebhook, Status, Target
from handlers.cuey.wire import parse_cron, parse_event, parse_id, render_cron, render_event, target_of, team_id_of

GOOD: dict[str, Any] = {"webhook_url": "https://a.example/x", "scheduled_at": "2030-01-01T00:00:00Z"}
ID = "7b1f2f2e-0000-4000-8000-000000000001"
CRON: dict[str, Any] = {"webhook_url": "https://a.example/x", "cron_expression": "0 * * * *"}
RETRY = {"maxRetries": 3, "backoffMs": 500, "backoffType": "linear"}
SEED = [
    "id", "cron_id", "retry_of", "scheduled_at", "executed_at", "status", "webhook_url", "method", "headers", "payload",
    "retry_config", "response_status", "response_headers", "response_body", "response_duration", "response_error",
    "created_at", "updated_at", "team_id",
]  # fmt: skip


def paths(body: Any) -> list[list[Any]]:
    with pytest.raises(Invalid) as caught:
        parse_event(body)
    assert caught.value.extra["code"] == "VALIDATION_ERROR"
    return [each["path"] for each in caught.value.extra["details"]]


def test_what_is_left_out_has_the_seeds_defaults() -> None:
    target = target_of(parse_event(GOOD).taken)
    assert target == Target("https://a.example/x", "POST", None, None, None)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"webhook_url": None}, ["webhook_url"]),
        ({"webhook_url": 5}, ["webhook_url"]),
        ({"webhook_url": "/x"}, ["webhook_url"]),
        ({"scheduled_at": 1_900_000_000_000}, ["scheduled_at"]),
        ({"scheduled_at": "tomorrow"}, ["scheduled_at"]),
        ({"method": "post"}, ["method"]),
        ({"method": "TRACE"}, ["method"]),
        ({"method": None}, ["method"]),
        ({"headers": []}, ["headers"]),
        ({"headers": {"X": 5}}, ["headers", "X"]),
        ({"headers": {"X": None}}, ["headers", "X"]),
        ({"headers": {"Host": "a"}}, ["headers"]),
        ({"retry_config": {}}, ["retry_config", "maxRetries"]),
        ({"retry_config": RETRY | {"maxRetries": True}}, ["retry_config", "maxRetries"]),
        ({"retry_config": RETRY | {"maxRetries": 5.0}}, ["retry_config", "maxRetries"]),
        ({"retry_config": RETRY | {"maxRetries": "3"}}, ["retry_config", "maxRetries"]),
        ({"retry_config": RETRY | {"maxRetries": 0}}, ["retry_config", "maxRetries"]),
        ({"retry_config": RETRY | {"maxRetries": 11}}, ["retry_config", "maxRetries"]),
        ({"retry_config": RETRY | {"backoffMs": 99}}, ["retry_config", "backoffMs"]),
        ({"retry_config": RETRY | {"backoffMs": 5_001}}, ["retry_config", "backoffMs"]),
        ({"retry_config": RETRY | {"backoffMs": 1e3}}, ["retry_config", "backoffMs"]),
        ({"retry_config": RETRY | {"backoffType": "LINEAR"}}, ["retry_config", "backoffType"]),
        ({"retry_config": 3}, ["retry_config"]),
    ],
)
def test_what_is_wrong_is_told_by_its_path(changed: dict[str, Any], path: list[Any]) -> None:
    assert path in paths(GOOD | changed)


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert paths({"method": "x", "headers": 1}) == [["webhook_url"], ["method"], ["headers"], ["scheduled_at"]]
    bodies: list[Any] = [None, [], "x", 5]
    assert [paths(body) for body in bodies] == [[[]]] * 4


@pytest.mark.parametrize("payload", [False, 0, "", [], {}, {"a": None}, 1.5, 10**30, "é🎉\0"])
def test_any_payload_is_kept_exactly_and_only_null_is_null(payload: Any) -> None:
    taken = parse_event(GOOD | {"payload": payload}).taken
    webhook = ScheduledWebhook(ID, target_of(taken), 1, 1, 1)
    assert render_event(webhook, "acme")["payload"] == payload and target_of(taken).payload is not None


def test_what_is_the_servers_to_say_is_ignored() -> None:
    taken = parse_event(GOOD | {"id": "x", "status": "success", "team_id": "y", "retry_of": "z", "extra": 1}).taken
    assert target_of(taken) == target_of(parse_event(GOOD).taken)


def test_a_put_keeps_what_is_left_out_and_clears_what_is_null() -> None:
    before = Target("https://b.example", "PUT", {"X": "y"}, {"a": 1}, RetryConfig(1, 100, "linear"))
    kept = target_of(parse_event(GOOD).taken, before)
    assert kept == replace(before, webhook_url="https://a.example/x")
    cleared = target_of(parse_event(GOOD | {"headers": None, "payload": None, "retry_config": None}).taken, before)
    assert cleared == Target("https://a.example/x", "PUT")


def test_an_event_is_shown_with_the_seeds_19_members_in_its_order() -> None:
    assert list(render_event(ScheduledWebhook(ID, Target("https://a.example"), 1_000, 1, 2), "acme")) == SEED


def test_an_answer_is_shown_and_a_failure_without_one_has_nulls() -> None:
    webhook = ScheduledWebhook(ID, Target("https://a.example"), 1_000, 1, 2, Status.FAILED)
    shown = render_event(replace(webhook, outcome=Outcome(500, {"a": "b"}, "no", "bad", 7)), "acme")
    names = ("status", "headers", "body", "error", "duration")
    assert [shown[f"response_{name}"] for name in names] == [500, {"a": "b"}, "no", "bad", 7]
    shown = render_event(replace(webhook, outcome=Outcome(None, None, None, "refused", 7)), "acme")
    assert [shown[f"response_{name}"] for name in names] == [None, None, None, "refused", 7]


def test_a_cron_is_parsed_and_shown() -> None:
    taken = parse_cron(CRON | {"timezone": "Europe/Berlin", "is_active": False})
    cron = Cron(ID, taken.cron_expression, taken.timezone, target_of(taken), taken.is_active, 1, 2)
    shown = render_cron(cron, "acme")
    assert (shown["cron_expression"], shown["timezone"], shown["is_active"]) == ("0 * * * *", "Europe/Berlin", False)
    for changed in ({"cron_expression": "x"}, {"timezone": "Mars"}, {"is_active": 1}, {"is_active": None}):
        with pytest.raises(Invalid):
            parse_cron(CRON | changed)


def test_ids_are_uuids_in_any_case_and_nothing_else() -> None:
    known = "7b1f2f2e-0000-4000-8000-00000000000a"
    assert parse_id(known.upper()) == known
    for text in ("", "x", known[:-1], known.replace("-", ""), f"{{{known}}}", f"urn:uuid:{known}", "../crons"):
        assert parse_id(text) is None


def test_a_team_has_one_uuid() -> None:
    assert team_id_of("acme") == team_id_of("acme") != team_id_of("rival")
    assert parse_id(team_id_of("acme")) == team_id_of("acme")
