"""Decisions on calls about events: each is one Change (contract sections 3 and 4). Pure.

The order of checks is that of the contract: what is not there, then what is wrong with the body, then the state.
"""

from typing import NamedTuple

from broker.change import Answer, Change, Delete, Document
from broker.errors import Invalid, NotFound, Refusal
from broker.storage.state import Loaded
from broker.strictjson import render_json
from handlers.cuey.documents import (
    MOST_PENDING,
    event_key,
    parse_event,
    put_event,
    timer_name,
    timer_of,
)
from handlers.cuey.events import channel_of, told
from handlers.cuey.machine import ScheduledWebhook, deleted, updated
from handlers.cuey.wire import AskedEvent, render_event, target_of, validation

DONE = {"data": {"success": True}}


class Known(NamedTuple):
    """An event with the version of its document."""

    webhook: ScheduledWebhook
    version: int


def creating(tenant: str, asked: AskedEvent, fresh_id: str, pending: int, loaded: Loaded) -> Change:
    """Have an event wait. `pending` is how many wait already. Raises `Invalid`."""
    _check_ahead(asked, loaded)
    if pending >= MOST_PENDING:
        raise Invalid(f"At most {MOST_PENDING} events may be pending")
    now_ms = loaded.now_ms
    webhook = ScheduledWebhook(fresh_id, target_of(asked.taken), asked.scheduled_at_ms, now_ms, now_ms)
    return Change(
        (put_event(tenant, webhook, 0),),
        (told(tenant, "created", webhook, None, "api"),),
        (timer_of(tenant, webhook),),
        _answer(tenant, webhook, 201),
    )


def updating(tenant: str, event_id: str, asked: AskedEvent | Refusal, loaded: Loaded) -> Change:
    """Have it made otherwise, or at another time. Raises `NotFound`, `Invalid`."""
    before, version = find(tenant, event_id, loaded)
    if isinstance(asked, Refusal):
        raise asked
    _check_ahead(asked, loaded)
    after = updated(before, target_of(asked.taken, before.target), asked.scheduled_at_ms, loaded.now_ms)
    return Change(
        (put_event(tenant, after, version),),
        (told(tenant, "updated", after, before.status, "api", changed=_changed(before, after)),),
        (timer_of(tenant, after),),
        _answer(tenant, after, 200),
    )


def deleting(tenant: str, event_id: str, loaded: Loaded) -> Change:
    """Take it back. Raises `NotFound`, `Invalid` for one that does not wait, or is a cron's."""
    before, version = find(tenant, event_id, loaded)
    after = deleted(before, loaded.now_ms)
    if before.cron_id is not None:
        raise Invalid("An event of a cron goes with its cron: delete or change that", code="BAD_REQUEST")
    return Change(
        (Delete(event_key(tenant, event_id), version),),
        (told(tenant, "deleted", after, before.status, "api"),),
        (timer_name(tenant, event_id),),
        Answer(200, render_json(DONE), channel_of(tenant)),
    )


def find(tenant: str, event_id: str, loaded: Loaded) -> Known:
    """An event as it is now; raises `NotFound`."""
    document: Document | None = loaded.documents[event_key(tenant, event_id)]
    if document is None:
        raise NotFound("Event not found", code="NOT_FOUND")
    return Known(parse_event(document.body), document.version)


def _check_ahead(asked: AskedEvent, loaded: Loaded) -> None:
    if asked.scheduled_at_ms <= loaded.now_ms:
        raise validation([{"path": ["scheduled_at"], "message": "must be later than now"}])


def _changed(before: ScheduledWebhook, after: ScheduledWebhook) -> list[str]:
    names = [name for name in before.target.__slots__ if getattr(before.target, name) != getattr(after.target, name)]
    return [*names, *(["scheduled_at"] if before.scheduled_at_ms != after.scheduled_at_ms else [])]


def _answer(tenant: str, webhook: ScheduledWebhook, status: int) -> Answer:
    return Answer(status, render_json({"data": render_event(webhook, tenant)}), channel_of(tenant))
