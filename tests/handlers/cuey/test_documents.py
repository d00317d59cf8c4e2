"""What is kept: read back exactly, in the indexes of the lists that it belongs to, for its time."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from broker.channels import DAY_MS
from handlers.cuey.crons import Cron
from handlers.cuey.documents import (
    KEPT_DAYS,
    again_name,
    event_index,
    parse_cron,
    parse_event,
    put_cron,
    put_event,
    render_cron,
    render_event,
    timer_of,
)
from handlers.cuey.machine import Outcome, RetryConfig, ScheduledWebhook, Status, Target

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TARGETS = st.builds(
    Target,
    st.just("https://a.example/x"),
    st.sampled_from(["POST", "GET"]),
    st.none() | st.dictionaries(st.text(), st.text(), max_size=2),
    JSON,
    st.none() | st.builds(RetryConfig, st.integers(1, 10), st.integers(100, 5_000), st.just("linear")),
)
OUTCOMES = st.none() | st.builds(
    Outcome, st.none() | st.just(200), st.none() | st.just({"a": "b"}), st.none() | st.text(), st.none(), st.just(1)
)


@given(TARGETS, OUTCOMES, st.sampled_from(Status))
def test_an_event_is_read_back_exactly(target: Target, outcome: Outcome | None, status: Status) -> None:
    webhook = ScheduledWebhook("i", target, 1, 2, 3, status, "c", "r", 4, outcome, 5, 6, 7)
    assert parse_event(render_event(webhook)) == webhook


@given(TARGETS)
def test_a_cron_is_read_back_exactly(target: Target) -> None:
    cron = Cron("i", "* * * * *", "UTC", target, True, 1, 2, ("a", "b"), 3, 4)
    assert parse_cron(render_cron(cron)) == cron


def test_an_event_stands_in_each_list_that_can_be_asked_for() -> None:
    webhook = ScheduledWebhook("i", Target("https://a.example"), 1_000, 1, 2, cron_id="c")
    put = put_event("acme", webhook, 0)
    lists = {event_index("acme", *each) for each in ((None, None), ("pending", None), (None, "c"), ("pending", "c"))}
    assert {entry.name for entry in put.entries} == lists and len(lists) == 4
    assert {entry.score for entry in put.entries} == {1_000}
    assert len(put_event("acme", replace(webhook, cron_id=None), 0).entries) == 2


def test_one_that_has_ended_is_kept_for_its_days_and_others_for_good() -> None:
    webhook = ScheduledWebhook("i", Target("https://a.example"), 1_000, 1, 2)
    assert put_event("acme", webhook, 0).expires_ms is None
    assert put_event("acme", replace(webhook, status=Status.PROCESSING), 0).expires_ms is None
    assert put_event("acme", replace(webhook, status=Status.FAILED), 0).expires_ms == 2 + KEPT_DAYS * DAY_MS


def test_a_cron_stands_among_all_and_among_those_that_are_as_active() -> None:
    cron = Cron("i", "* * * * *", None, Target("https://a.example"), True, 5, 5)
    names = [entry.name for entry in put_cron("acme", cron, 0).entries]
    assert names == ["cuey-crons/acme/", "cuey-crons/acme/1"]


def test_its_timers_are_the_tenants() -> None:
    timer = timer_of("acme", ScheduledWebhook("i", Target("https://a.example"), 1_000, 1, 2))
    assert (timer.name.owner, timer.name.subject, timer.due_ms) == ("acme", "i", 1_000)
    assert again_name("acme", "i") != timer.name
