"""Decisions on the calls themselves: who begins one, and what follows from its outcome (contract 4 and 5). Pure.

A call is begun by a commit that counts its run; what came of it is a command like any other, and counts only where that
run is still the last. In between a timer waits for a process that never tells.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from broker.change import NOTHING, Change, join
from broker.storage.commit import Needs
from broker.storage.state import Loaded
from broker.timers import Timer
from handlers.cuey.cron_decisions import making
from handlers.cuey.crons import without
from handlers.cuey.documents import (
    again_name,
    cron_key,
    event_key,
    parse_cron,
    parse_event,
    put_cron,
    put_event,
    timer_of,
)
from handlers.cuey.events import Cause, told, told_of_outcome
from handlers.cuey.machine import Outcome, RetryConfig, ScheduledWebhook, Status, Step, allows, begun, finished


class Run(NamedTuple):
    """A call that is to be made: the event with the run that was begun."""

    tenant: str
    webhook: ScheduledWebhook


def beginning(
    tenant: str, event_id: str, ids: Sequence[str], wait_ms: int, cause: Cause, loaded: Loaded
) -> tuple[Change, ScheduledWebhook | None]:
    """The change that begins a call, and the event as it is then; None where there is nothing to call any more.

    After `wait_ms` it is begun again, unless what came of it was told. A cron's event is followed by the next ones,
    with `ids`. Raises `Needs` for the cron.
    """
    found = loaded.documents[event_key(tenant, event_id)]
    before = parse_event(found.body) if found else None
    if found is None or before is None or not allows(before.status, Step.BEGIN):
        return NOTHING, None
    if before.scheduled_at_ms > loaded.now_ms:
        # Only where a clock runs backwards: what is due is due by the engine's.
        return Change(timers=(timer_of(tenant, before),)), None
    after = begun(before, loaded.now_ms)
    own = Change(
        (put_event(tenant, after, found.version),),
        (told(tenant, "processing", after, before.status, cause, attempt=after.attempt),),
        (Timer(again_name(tenant, event_id), loaded.now_ms + wait_ms),),
    )
    if before.status is not Status.PENDING or before.cron_id is None:
        return own, after
    return join((own, _next_of_cron(tenant, before, ids, loaded))), after


def ending(run: Run, outcome: Outcome, default: RetryConfig, fresh_id: str, loaded: Loaded) -> Change:
    """What follows from a call that was made. Nothing, where another run was begun since."""
    tenant, event_id = run.tenant, run.webhook.id
    found = loaded.documents[event_key(tenant, event_id)]
    known = parse_event(found.body) if found else None
    if found is None or known is None or known.status is not Status.PROCESSING or known.run != run.webhook.run:
        return NOTHING
    result = finished(known, outcome, default, fresh_id, loaded.now_ms)
    puts, timers = [put_event(tenant, result.webhook, found.version)], [again_name(tenant, event_id)]
    if result.retry is None:
        return Change(tuple(puts), tuple(told_of_outcome(tenant, result)), tuple(timers))
    retry = result.retry.webhook
    return Change(
        (*puts, put_event(tenant, retry, 0)),
        tuple(told_of_outcome(tenant, result)),
        (*timers, timer_of(tenant, retry)),
    )


def giving_back(run: Run, loaded: Loaded) -> Change:
    """Have it begun again at once: the process that made the call ends, and does not know what came of it."""
    found = loaded.documents[event_key(run.tenant, run.webhook.id)]
    known = parse_event(found.body) if found else None
    if known is None or known.status is not Status.PROCESSING or known.run != run.webhook.run:
        return NOTHING
    return Change(timers=(Timer(again_name(run.tenant, known.id), loaded.now_ms),))


def _next_of_cron(tenant: str, webhook: ScheduledWebhook, ids: Sequence[str], loaded: Loaded) -> Change:
    assert webhook.cron_id is not None  # noqa: S101 - the caller looked
    key = cron_key(tenant, webhook.cron_id)
    if key not in loaded.documents:
        raise Needs(key)
    found = loaded.documents[key]
    cron = parse_cron(found.body) if found else None
    if found is None or cron is None or webhook.id not in cron.pending:
        return NOTHING
    after, ahead = making(tenant, without(cron, webhook.id), ids, loaded.now_ms, "timer")
    # Its version is of what its team sees of it, which is as it was.
    return join((Change((put_cron(tenant, replace(after, version=cron.version), found.version),)), ahead))
