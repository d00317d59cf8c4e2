"""Decisions on calls about subscriptions: each is one Change (contract 11.2). Pure."""

from dataclasses import replace

from broker.change import NOTHING, Answer, Change, Delete, DocumentKey
from broker.errors import Conflict, NotFound, Refusal, TooMany
from broker.storage.state import Loaded
from broker.strictjson import render_json
from broker.timers import Timer, TimerName
from handlers.calendar.decisions import Place, find_calendar
from handlers.calendar.documents import agent_key, calendar_key
from handlers.calendar.events import calendar_channel, told_of_subscription
from handlers.calendar.imports.documents import (
    count_key,
    counted,
    find_kept,
    forget_name,
    poll_name,
    poll_timer,
    put_count,
    put_subscription,
    subscription_key,
)
from handlers.calendar.imports.models import SubscriptionPatched, SubscriptionTaken
from handlers.calendar.imports.subscription import IcalSubscription, render_subscription, touched
from handlers.calendar.making import find_agent

FORGET_AFTER_MS = 10_000
"""Whoever removes a subscription sees to its events; after this a timer does, should that process have died."""

SYNCING = b'{"status":"syncing"}'


def subscribing_keys(tenant: str, agent_id: str, calendar_id: str) -> list[DocumentKey]:
    """What the decision on a new subscription reads."""
    return [agent_key(tenant, agent_id), calendar_key(tenant, calendar_id), count_key(tenant)]


def find_subscription(
    tenant: str, subscription_id: str, agent: str | None, loaded: Loaded
) -> tuple[IcalSubscription, int]:
    """A subscription as the caller may see it, and the version of its document; raises `NotFound`."""
    found = find_kept(tenant, subscription_id, loaded)
    if found is None or agent not in (None, found[0].agent_id):
        raise NotFound("Subscription not found")
    return found


def find_own_calendar(tenant: str, agent_id: str, calendar_id: str, caller: str | None, loaded: Loaded) -> None:
    """See to it that the agent is there and the calendar is its own; raises `NotFound`."""
    find_agent(tenant, agent_id, caller, loaded)
    find_calendar(Place(tenant, calendar_id, agent_id), loaded)


def subscribing(
    place: Place, agent_id: str, asked: SubscriptionTaken, fresh_id: str, most: int, loaded: Loaded
) -> Change:
    """A new subscription, polled at once. Raises `NotFound`, `TooMany`."""
    tenant, now_ms = place.tenant, loaded.now_ms
    find_own_calendar(tenant, agent_id, place.calendar_id, place.agent, loaded)
    count = counted(tenant, loaded)
    if count >= most:
        raise TooMany(f"An organisation has at most {most} iCal subscriptions", type="quota_exceeded")
    new = IcalSubscription(fresh_id, agent_id, place.calendar_id, asked.url, now_ms, now_ms, asked.label)
    return Change(
        (put_subscription(tenant, new, 0), put_count(tenant, count + 1, loaded)),
        told_of_subscription(tenant, "created", new, None, "api"),
        (poll_timer(tenant, new.id, now_ms),),
        _answer(tenant, new, 201),
    )


def changing(
    tenant: str, subscription_id: str, agent: str | None, asked: SubscriptionPatched | Refusal, loaded: Loaded
) -> Change:
    """Change a subscription. Another URL, or `active` after `paused` or `error`, is polled at once; `paused` no more.

    A poll that is under way is the last one no more where it would tell of what is not so any longer. Raises
    `NotFound`, and what was wrong with the body.
    """
    before, version = find_subscription(tenant, subscription_id, agent, loaded)
    if isinstance(asked, Refusal):
        raise asked
    changes = {name: getattr(asked, name) for name in asked.model_fields_set}
    after = replace(touched(before, loaded.now_ms), **changes)
    timers: tuple[Timer | TimerName, ...] = ()
    if after.url != before.url:
        # What is known is of another feed; its events give way when this one is merged.
        after = replace(after, seen=None, last_synced_ms=None)
    if (after.url, after.status) != (before.url, before.status):
        after = replace(after, run=after.run + 1, runs_until_ms=0, failures=0, last_error=None)
        if after.status == "error":
            after = replace(after, status="active")
        is_paused = after.status == "paused"
        timers = (poll_name(tenant, after.id) if is_paused else poll_timer(tenant, after.id, loaded.now_ms),)
    return Change(
        (put_subscription(tenant, after, version),),
        told_of_subscription(tenant, "updated", after, before.status, "api"),
        timers,
        _answer(tenant, after, 200),
    )


def unsubscribing(tenant: str, subscription_id: str, agent: str | None, loaded: Loaded) -> Change:
    """Remove a subscription; its events go by pages, right after. Raises `NotFound`."""
    before, version = find_subscription(tenant, subscription_id, agent, loaded)
    after = touched(before, loaded.now_ms)
    return Change(
        (Delete(subscription_key(tenant, before.id), version), put_count(tenant, counted(tenant, loaded) - 1, loaded)),
        told_of_subscription(tenant, "deleted", after, before.status, "api"),
        (
            poll_name(tenant, before.id),
            Timer(forget_name(tenant, before.id), loaded.now_ms + FORGET_AFTER_MS),
        ),
        Answer(204, b"", calendar_channel(tenant, before.calendar_id)),
    )


def dropping(tenant: str, subscription_id: str, loaded: Loaded) -> Change:
    """Remove a subscription with its calendar, of which that is told and nothing more."""
    found = find_kept(tenant, subscription_id, loaded)
    if found is None:
        return NOTHING
    return Change(
        (
            Delete(subscription_key(tenant, subscription_id), found[1]),
            put_count(tenant, counted(tenant, loaded) - 1, loaded),
        ),
        (),
        (poll_name(tenant, subscription_id),),
    )


def syncing(tenant: str, subscription_id: str, agent: str | None, loaded: Loaded) -> Change:
    """Poll at once; nothing where a poll is under way. Raises `NotFound`, and `Conflict` for one that is paused."""
    subscription, _ = find_subscription(tenant, subscription_id, agent, loaded)
    if subscription.status == "paused":
        raise Conflict("The subscription is paused: make it active first", code="paused")
    answer = Answer(202, SYNCING, calendar_channel(tenant, subscription.calendar_id))
    if subscription.is_running(loaded.now_ms):
        return Change(answer=answer)
    return Change((), (), (poll_timer(tenant, subscription_id, loaded.now_ms),), answer)


def _answer(tenant: str, subscription: IcalSubscription, status: int) -> Answer:
    body = render_json(render_subscription(subscription))
    return Answer(status, body, calendar_channel(tenant, subscription.calendar_id))
