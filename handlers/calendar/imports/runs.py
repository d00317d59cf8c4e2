"""Decisions on polls: who begins one, and what follows from what came of it (contract 11.2). Pure.

A poll is begun by a commit that counts it; all that it writes counts only where it is still the last. In between a
timer waits for a process that never tells: then it is begun again.
"""

from dataclasses import replace
from typing import NamedTuple

from broker.change import NOTHING, Change, Emitted
from broker.storage.commit import Needs
from broker.storage.state import Loaded
from handlers.calendar.calendars import parse_calendar
from handlers.calendar.documents import calendar_key
from handlers.calendar.events import told_of_subscription
from handlers.calendar.imports.documents import find_kept, poll_timer, put_subscription
from handlers.calendar.imports.subscription import IcalSubscription, Seen, next_poll_ms, touched

MOST_ERROR = 300


class Superseded(Exception):
    """Another poll was begun since, or the subscription is paused or gone: nothing was written or is to be."""


class Run(NamedTuple):
    """A poll that was begun: the subscription as it is then, the zone of its calendar, and when that was."""

    tenant: str
    subscription: IcalSubscription
    timezone: str
    begun_ms: int


class Pace(NamedTuple):
    """When the next poll is: after the interval times `jitter`."""

    interval_ms: int
    jitter: float


def beginning(tenant: str, subscription_id: str, wait_ms: int, loaded: Loaded) -> tuple[Change, Run | None]:
    """The change that begins a poll, and the poll; None where there is nothing to poll.

    After `wait_ms` it is begun again, unless what came of it was told. Raises `Needs` for the calendar.
    """
    found = find_kept(tenant, subscription_id, loaded)
    if found is None or found[0].status == "paused":
        return NOTHING, None
    subscription, version = found
    key = calendar_key(tenant, subscription.calendar_id)
    if key not in loaded.documents:
        raise Needs(key)
    calendar = loaded.documents[key]
    if calendar is None:
        return NOTHING, None
    until_ms = loaded.now_ms + wait_ms
    after = replace(subscription, run=subscription.run + 1, runs_until_ms=until_ms)
    change = Change((put_subscription(tenant, after, version),), (), (poll_timer(tenant, subscription_id, until_ms),))
    return change, Run(tenant, after, parse_calendar(calendar.body).timezone, loaded.now_ms)


def succeeding(run: Run, seen: Seen, pace: Pace, loaded: Loaded) -> Change:
    """What follows when the feed is in the calendar: when to poll next, and by what to know the feed. Not told unless
    the subscription was in error. Raises `Superseded`."""
    before, version = _last(run, loaded)
    error = f"{seen.left_out} of its events cannot be read and are left out" if seen.left_out else None
    after = replace(
        before, status="active", last_synced_ms=loaded.now_ms, last_error=error, failures=0, runs_until_ms=0, seen=seen
    )
    return _ended(run, before, after, version, pace, loaded)


def failing(run: Run, error: str, pace: Pace, loaded: Loaded) -> Change:
    """What follows when it could not be read; what was merged before stays. Raises `Superseded`."""
    before, version = _last(run, loaded)
    after = replace(
        before, status="error", last_error=error[:MOST_ERROR], failures=before.failures + 1, runs_until_ms=0
    )
    return _ended(run, before, after, version, pace, loaded)


def giving_back(run: Run, loaded: Loaded) -> Change:
    """What follows when this process ends before the poll does: another one begins it again at once."""
    before, version = _last(run, loaded)
    timer = poll_timer(run.tenant, before.id, loaded.now_ms)
    return Change((put_subscription(run.tenant, replace(before, runs_until_ms=0), version),), (), (timer,))


def _last(run: Run, loaded: Loaded) -> tuple[IcalSubscription, int]:
    found = find_kept(run.tenant, run.subscription.id, loaded)
    if found is None or found[0].run != run.subscription.run:
        raise Superseded
    return found


def _ended(
    run: Run, before: IcalSubscription, after: IcalSubscription, version: int, pace: Pace, loaded: Loaded
) -> Change:
    events: tuple[Emitted, ...] = ()
    if after.status != before.status:
        after = touched(after, loaded.now_ms)
        events = told_of_subscription(run.tenant, "updated", after, before.status, "feed")
    at_ms = next_poll_ms(after, loaded.now_ms, *pace)
    return Change((put_subscription(run.tenant, after, version),), events, (poll_timer(run.tenant, after.id, at_ms),))
