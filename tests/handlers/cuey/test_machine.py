"""The machine: all that is allowed, and the chain of retries (contract sections 4 and 5)."""

from dataclasses import replace
from itertools import product
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from handlers.cuey.machine import (
    TABLE,
    Outcome,
    RetryConfig,
    ScheduledWebhook,
    Status,
    Step,
    Target,
    allows,
    begun,
    deleted,
    finished,
    updated,
)

TARGET = Target("https://a.example/x")
WEBHOOK = ScheduledWebhook("first", TARGET, 1_000, 10, 10)
DEFAULT = RetryConfig(3, 500, "exponential")
GOOD = Outcome(204, {}, "", None, 3)
BAD = Outcome(500, {}, "", "The receiver answered 500", 3)
NONE = Outcome(None, None, None, "refused", 3)


def test_the_table_allows_what_the_contract_says_and_nothing_else() -> None:
    expected = {
        ("pending", "update"),
        ("pending", "delete"),
        ("pending", "begin"),
        ("processing", "begin"),
        ("processing", "succeed"),
        ("processing", "fail"),
    }
    assert {(str(a), str(b)) for a, b in product(Status, Step) if allows(a, b)} == expected
    assert {status for status in Status if status.is_terminal} == {Status.SUCCESS, Status.FAILED}
    assert not [key for key in TABLE if key[0].is_terminal]


@pytest.mark.parametrize("status", [Status.PROCESSING, Status.SUCCESS, Status.FAILED])
def test_only_a_pending_one_is_updated_or_deleted(status: Status) -> None:
    webhook = replace(WEBHOOK, status=status)
    told = {"code": "BAD_REQUEST", "details": {"currentStatus": status.value}}
    with pytest.raises(Invalid) as caught:
        updated(webhook, TARGET, 5_000, 20)
    assert caught.value.extra == told
    with pytest.raises(Invalid) as caught:
        deleted(webhook, 20)
    assert caught.value.extra == told


def test_an_update_moves_it_and_counts_a_version() -> None:
    after = updated(WEBHOOK, Target("https://b.example"), 5_000, 20)
    assert (after.scheduled_at_ms, after.target.webhook_url, after.version, after.updated_at_ms) == (
        5_000,
        "https://b.example",
        2,
        20,
    )


def test_each_begin_is_a_run_of_its_own() -> None:
    first = begun(WEBHOOK, 1_001)
    again = begun(first, 2_000)
    assert (first.status, first.run, first.executed_at_ms) == (Status.PROCESSING, 1, 1_001)
    assert (again.run, again.attempt, again.executed_at_ms, again.id) == (2, 1, 2_000, "first")


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    result = finished(begun(WEBHOOK, 1_000), GOOD._replace(status=status), DEFAULT, "new", 1_100)
    assert (result.webhook.status, result.retry) == (Status.SUCCESS, None)


@pytest.mark.parametrize("outcome", [BAD, NONE, BAD._replace(status=302), BAD._replace(status=404)])
def test_anything_else_is_a_failure_with_a_retry(outcome: Outcome) -> None:
    result = finished(begun(WEBHOOK, 1_000), outcome, DEFAULT, "new", 1_100)
    assert result.webhook.status is Status.FAILED and result.retry is not None
    retry = result.retry.webhook
    assert (retry.id, retry.retry_of, retry.status, retry.attempt, retry.run) == (
        "new",
        "first",
        Status.PROCESSING,
        2,
        0,
    )
    assert (retry.scheduled_at_ms, result.retry.delay_ms) == (1_600, 500)
    assert retry.target is WEBHOOK.target


@given(st.integers(1, 10), st.integers(100, 5_000), st.sampled_from(["exponential", "linear"]), st.integers(0, 10**6))
def test_n_retries_are_n_plus_one_attempts_of_one_root_and_no_more(
    most: int, backoff_ms: int, backoff: Literal["exponential", "linear"], took_ms: int
) -> None:
    config = RetryConfig(most, backoff_ms, backoff)
    webhook = replace(WEBHOOK, target=replace(TARGET, retry_config=config), cron_id="c")
    delays, attempts, now_ms = [], 0, 1_000
    while True:
        attempts += 1
        now_ms = max(now_ms, webhook.scheduled_at_ms) + took_ms
        result = finished(begun(webhook, now_ms - took_ms), BAD, DEFAULT, f"n{attempts}", now_ms)
        if result.retry is None:
            break
        webhook = result.retry.webhook
        delays.append(webhook.scheduled_at_ms - now_ms)
        assert (webhook.retry_of, webhook.cron_id) == ("first", "c")
        assert result.retries_left == most - attempts
    assert attempts == most + 1
    assert delays == [backoff_ms * (2**n if backoff == "exponential" else 1) for n in range(most)]


def test_the_longest_chain_is_what_the_contract_computed() -> None:
    config = RetryConfig(10, 5_000, "exponential")
    assert config.delay_ms(10) == 2_560_000
    assert sum(config.delay_ms(n) for n in range(1, 11)) == 5_115_000


def test_times_never_run_backwards() -> None:
    late = begun(WEBHOOK, 5_000)
    assert finished(late, GOOD, DEFAULT, "x", 10).webhook.updated_at_ms == 5_000
