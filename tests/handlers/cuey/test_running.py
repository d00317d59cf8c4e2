"""Who begins a call, and which outcome counts (contract sections 4 and 5), decided on what is kept."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from broker.change import NOTHING, Change, Document, DocumentKey, Put
from broker.storage.commit import Needs
from broker.storage.state import Loaded
from broker.timers import Timer
from handlers.cuey.cron_decisions import making
from handlers.cuey.crons import Cron
from handlers.cuey.documents import (
    again_name,
    cron_key,
    event_key,
    parse_cron,
    parse_event,
    render_cron,
    render_event,
)
from handlers.cuey.machine import Outcome, RetryConfig, ScheduledWebhook, Status, Target, begun
from handlers.cuey.running import Run, beginning, ending, giving_back

TEAM = "acme"
ID = "7b1f2f2e-0000-4000-8000-000000000001"
NEW = "7b1f2f2e-0000-4000-8000-000000000002"
CRON_ID = "7b1f2f2e-0000-4000-8000-000000000003"
NOW_MS = 1_800_000_000_000
DEFAULT = RetryConfig(1, 500, "linear")
TARGET = Target("https://a.example/x")
WEBHOOK = ScheduledWebhook(ID, TARGET, NOW_MS, 1, 1)
GOOD = Outcome(200, {}, "", None, 3)
BAD = Outcome(500, {}, "", "The receiver answered 500", 3)


def loaded(*kept: ScheduledWebhook | Cron, now_ms: int = NOW_MS, **absent: DocumentKey) -> Loaded:
    documents: dict[DocumentKey, Document | None] = dict.fromkeys(absent.values())
    for each in kept:
        if isinstance(each, Cron):
            documents[cron_key(TEAM, each.id)] = Document(7, render_cron(each))
        else:
            documents[event_key(TEAM, each.id)] = Document(7, render_event(each))
    return Loaded(now_ms * 1000, documents, None, {})


def puts(change: Change) -> list[Put]:
    return [each for each in change.documents if isinstance(each, Put)]


def kinds(change: Change) -> list[str]:
    return [orjson.loads(b"{" + each.event.tail)["type"].removeprefix("cuey.") for each in change.events]


def begin(*kept: Any, cause: Any = "timer", **options: Any) -> tuple[Change, ScheduledWebhook | None]:
    return beginning(TEAM, ID, [NEW], 60_000, cause, loaded(*kept, **options))


def test_what_begins_is_processing_and_is_waited_for() -> None:
    change, webhook = begin(WEBHOOK)
    assert webhook is not None and (webhook.status, webhook.run) == (Status.PROCESSING, 1)
    [put] = puts(change)
    assert (parse_event(put.body), put.expected) == (webhook, 7)
    assert change.timers == (Timer(again_name(TEAM, ID), NOW_MS + 60_000),)
    assert kinds(change) == ["event.processing"]


def test_what_is_gone_or_has_ended_is_not_begun() -> None:
    assert begin(event=event_key(TEAM, ID)) == (NOTHING, None)
    for status in (Status.SUCCESS, Status.FAILED):
        assert begin(replace(WEBHOOK, status=status)) == (NOTHING, None)


def test_what_is_not_due_yet_is_armed_again() -> None:
    later = replace(WEBHOOK, scheduled_at_ms=NOW_MS + 1)
    change, webhook = begin(later)
    assert webhook is None and change.documents == () and [each.due_ms for each in change.timers] == [NOW_MS + 1]  # type: ignore[union-attr]


def test_after_a_process_that_died_the_next_run_begins_with_the_same_attempt() -> None:
    died = begun(replace(WEBHOOK, attempt=2), NOW_MS)
    _, webhook = begin(died, cause="recovery")
    assert webhook is not None and (webhook.run, webhook.attempt, webhook.id) == (2, 2, ID)


def test_only_the_outcome_of_the_last_run_counts() -> None:
    first = begun(WEBHOOK, NOW_MS)
    second = begun(first, NOW_MS)
    assert ending(Run(TEAM, first), GOOD, DEFAULT, NEW, loaded(second)) == NOTHING
    assert ending(Run(TEAM, first), GOOD, DEFAULT, NEW, loaded(event=event_key(TEAM, ID))) == NOTHING
    change = ending(Run(TEAM, second), GOOD, DEFAULT, NEW, loaded(second))
    assert parse_event(puts(change)[0].body).status is Status.SUCCESS
    assert change.timers == (again_name(TEAM, ID),)
    assert kinds(change) == ["event.succeeded"]


def test_a_failure_and_its_retry_are_one_change() -> None:
    running = begun(WEBHOOK, NOW_MS)
    change = ending(Run(TEAM, running), BAD, DEFAULT, NEW, loaded(running))
    failed, retry = (parse_event(each.body) for each in puts(change))
    assert (failed.status, retry.id, retry.retry_of) == (Status.FAILED, NEW, ID)
    assert kinds(change) == ["event.failed", "event.retried"] and len(change.timers) == 2


def test_who_stops_gives_back_its_own_run_only() -> None:
    first = begun(WEBHOOK, NOW_MS)
    change = giving_back(Run(TEAM, first), loaded(first))
    assert change.timers == (Timer(again_name(TEAM, ID), NOW_MS),)
    assert giving_back(Run(TEAM, first), loaded(begun(first, NOW_MS))) == NOTHING


def test_the_event_of_a_cron_is_followed_in_the_same_change() -> None:
    cron = Cron(CRON_ID, "0 0 1 1 *", None, TARGET, True, 1, 1, (ID,), NOW_MS)
    own = replace(WEBHOOK, cron_id=CRON_ID)
    with pytest.raises(Needs):
        begin(own)
    change, webhook = begin(own, cron)
    assert webhook is not None
    _, kept, following = puts(change)
    after = parse_cron(kept.body)
    assert after.pending == (NEW,) and after.version == cron.version
    made = parse_event(following.body)
    assert (made.id, made.cron_id, made.status) == (NEW, CRON_ID, Status.PENDING)
    assert kinds(change) == ["event.processing", "event.created"]


def test_the_event_of_a_cron_that_is_gone_or_changed_has_no_follower() -> None:
    own = replace(WEBHOOK, cron_id=CRON_ID)
    change, _ = begin(own, cron=cron_key(TEAM, CRON_ID))
    assert len(puts(change)) == 1
    changed = Cron(CRON_ID, "0 0 1 1 *", None, TARGET, True, 1, 1, (NEW,), NOW_MS)
    assert len(puts(begin(own, changed)[0])) == 1


def test_a_retry_of_a_crons_event_makes_no_follower() -> None:
    retry = replace(WEBHOOK, cron_id=CRON_ID, status=Status.PROCESSING, attempt=2)
    assert len(puts(begin(retry)[0])) == 1


def test_a_cron_makes_no_more_events_than_it_was_given_ids() -> None:
    cron, change = making(TEAM, Cron(CRON_ID, "* * * * *", None, TARGET, True, 1, 1), ["a", "b"], NOW_MS, "api")
    assert cron.pending == ("a", "b") and len(change.documents) == len(change.timers) == 2
