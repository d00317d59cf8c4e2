"""How scheduled webhooks and crons are kept: documents, indexes, lifetimes, timers (design section 5). Pure.

One that has ended can no longer be deleted by anybody, so it is kept for `KEPT_DAYS` from then. Each list that can be
asked for is an index by `scheduled_at`, so that pages and totals are read at once.
"""

from dataclasses import asdict
from typing import Any

from broker.change import DocumentKey, Entry, Put
from broker.channels import DAY_MS
from broker.strictjson import parse_stored, render_json
from broker.timers import Timer, TimerName
from handlers.cuey.crons import Cron
from handlers.cuey.machine import Outcome, RetryConfig, ScheduledWebhook, Status, Target

EVENT = "cuey-event"
CRON = "cuey-cron"
TIMER = "cuey"
AGAIN = "cuey-again"
KEPT_DAYS = 30
MOST_PENDING = 100_000
"""How many events of a tenant may wait. Calls at the same moment may go over it, by what each of them makes."""

MOST_CRONS = 1_000


def event_key(tenant: str, event_id: str) -> DocumentKey:
    """The document of a scheduled webhook: ids are the tenant's own, so that another's are unknown here."""
    return DocumentKey(EVENT, f"{tenant}/{event_id}")


def cron_key(tenant: str, cron_id: str) -> DocumentKey:
    """The document of a cron."""
    return DocumentKey(CRON, f"{tenant}/{cron_id}")


def event_index(tenant: str, status: str | None = None, cron_id: str | None = None) -> str:
    """The index of a tenant's events, of those with this status, of this cron, or both."""
    return f"cuey/{tenant}/{cron_id or ''}/{status or ''}"


def cron_index(tenant: str, is_active: bool | None = None) -> str:
    """The index of a tenant's crons, by when they were made."""
    return f"cuey-crons/{tenant}/{'' if is_active is None else int(is_active)}"


def put_event(tenant: str, webhook: ScheduledWebhook, expected: int) -> Put:
    """The document that is to be written, in place of the version `expected`."""
    key = event_key(tenant, webhook.id)
    places = [(None, None), (webhook.status.value, None)]
    if webhook.cron_id is not None:
        places += [(status, webhook.cron_id) for status, _ in places]  # type: ignore[misc]
    entries = tuple(Entry(event_index(tenant, *place), webhook.scheduled_at_ms, key.id) for place in places)
    ends_ms = webhook.updated_at_ms + KEPT_DAYS * DAY_MS if webhook.status.is_terminal else None
    return Put(key, expected, render_event(webhook), entries, ends_ms)


def put_cron(tenant: str, cron: Cron, expected: int) -> Put:
    """The document of a cron that is to be written."""
    key = cron_key(tenant, cron.id)
    names = (cron_index(tenant), cron_index(tenant, cron.is_active))
    entries = tuple(Entry(name, cron.created_at_ms, key.id) for name in names)
    return Put(key, expected, render_cron(cron), entries)


def timer_of(tenant: str, webhook: ScheduledWebhook) -> Timer:
    """The timer that has the call made."""
    return Timer(timer_name(tenant, webhook.id), webhook.scheduled_at_ms)


def timer_name(tenant: str, event_id: str) -> TimerName:
    """The name of that timer."""
    return TimerName(TIMER, tenant, event_id)


def again_name(tenant: str, event_id: str) -> TimerName:
    """The timer that has the call made again where nobody told what came of it: its process has died."""
    return TimerName(AGAIN, tenant, event_id)


def render_event(webhook: ScheduledWebhook) -> bytes:
    """The body of its document; what was given as JSON is exact."""
    return render_json({**_plain(webhook), "outcome": webhook.outcome and webhook.outcome._asdict()})


def parse_event(body: bytes) -> ScheduledWebhook:
    """The scheduled webhook of a kept document; trusts its input."""
    own: dict[str, Any] = parse_stored(body)
    outcome = own["outcome"] and Outcome(**own["outcome"])
    return ScheduledWebhook(
        **{**own, "target": _target(own["target"]), "status": Status(own["status"]), "outcome": outcome}
    )


def render_cron(cron: Cron) -> bytes:
    """The body of a cron's document."""
    return render_json(_plain(cron))


def parse_cron(body: bytes) -> Cron:
    """The cron of a kept document; trusts its input."""
    own: dict[str, Any] = parse_stored(body)
    return Cron(**{**own, "target": _target(own["target"]), "pending": tuple(own["pending"])})


def _plain(value: ScheduledWebhook | Cron) -> dict[str, Any]:
    own = {name: getattr(value, name) for name in value.__slots__}
    config = value.target.retry_config
    target = {name: getattr(value.target, name) for name in Target.__slots__}
    return {**own, "target": {**target, "retry_config": config and asdict(config)}}


def _target(own: dict[str, Any]) -> Target:
    config = own["retry_config"]
    return Target(**{**own, "retry_config": config and RetryConfig(**config)})
