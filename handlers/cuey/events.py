"""What cuey tells: typed events on `cuey-team-<tenant>`, with their JSON Schemas (contract section 8). Pure.

Each change is told once, in the commit that makes it. Nothing told has a payload, a header or the body of an answer,
and of a URL the host only: the others can hold secrets.
"""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from broker.change import Emitted, emit
from broker.channels import NewChannel
from broker.ids import render_time
from handlers.cuey.crons import Cron
from handlers.cuey.machine import Finished, ScheduledWebhook, Status
from handlers.cuey.models import Method, Shown, ShownUuid, StatusName, Time
from handlers.model_schemas import schema_of

PUBLISHER = "system-cuey"
SCHEMA = 1
CHANNEL_PREFIX = "cuey-team-"
Cause = Literal["api", "timer", "worker", "recovery"]


class EventTold(Shown):
    """An event, without what may be secret."""

    id: ShownUuid
    cron_id: ShownUuid | None
    retry_of: ShownUuid | None
    scheduled_at: Time
    executed_at: Time | None
    status: StatusName
    method: Method
    webhook_host: str
    updated_at: Time


class CronTold(Shown):
    """A cron, without what may be secret."""

    id: ShownUuid
    cron_expression: str
    timezone: str | None
    is_active: bool
    method: Method
    webhook_host: str
    updated_at: Time


class Told(Shown):
    """`data` of each event of the channel: its head."""

    schema_number: Annotated[Literal[1], Field(alias="schema", description="Of which form this is.")]
    subject: Annotated[ShownUuid, Field(description="The id of what changed.")]
    version: Annotated[int, Field(ge=1, description="1 at first, one higher with every change.")]
    occurred_at: Time
    status: str
    previous_status: str | None
    cause: Cause


class EventChanged(Told):
    """Of an event that was created or deleted."""

    event: EventTold


class EventUpdated(EventChanged):
    """Of an event that a PUT changed."""

    changed: list[str]


class EventBegun(EventChanged):
    """Of an event whose call begins."""

    attempt: int


class EventSucceeded(EventBegun):
    """Of an event that its receiver took."""

    response_status: int
    response_duration: int


class EventFailed(EventBegun):
    """Of an event that its receiver did not take."""

    response_status: int | None
    response_error: str
    response_duration: int
    will_retry: bool
    retries_left: int


class EventRetried(EventChanged):
    """Of an event that was made to try another one again."""

    retry_of: ShownUuid
    attempt: int
    delay_ms: int


class EventExhausted(EventChanged):
    """Of an event that was the last try."""

    retry_of: ShownUuid | None
    attempts: int


class CronChanged(Told):
    """Of a cron."""

    cron: CronTold


TYPES: dict[str, type[Told]] = {
    "cuey.event.created": EventChanged,
    "cuey.event.updated": EventUpdated,
    "cuey.event.deleted": EventChanged,
    "cuey.event.processing": EventBegun,
    "cuey.event.succeeded": EventSucceeded,
    "cuey.event.failed": EventFailed,
    "cuey.event.retried": EventRetried,
    "cuey.event.exhausted": EventExhausted,
    "cuey.cron.created": CronChanged,
    "cuey.cron.updated": CronChanged,
    "cuey.cron.deleted": CronChanged,
}


def channel_of(tenant: str) -> str:
    """The id of the channel that tells of a tenant's events and crons."""
    return f"{CHANNEL_PREFIX}{tenant}"


def team_of(tenant: str) -> NewChannel:
    """That channel as it is made: private, with the schemas of its types."""
    types = {name: {"schema": schema_of(model)} for name, model in TYPES.items()}
    return NewChannel(channel_of(tenant), f"Scheduled webhooks of {tenant}", config={"types": types})


def told(
    tenant: str, what: str, webhook: ScheduledWebhook, previous: Status | None, cause: Cause, **more: Any
) -> Emitted:
    """The channel event `cuey.event.<what>` of a change."""
    data = {
        "schema": SCHEMA,
        "subject": webhook.id,
        "version": webhook.version,
        "occurred_at": render_time(webhook.updated_at_ms),
        "status": webhook.status.value,
        "previous_status": None if previous is None else previous.value,
        "cause": cause,
        "event": _event(webhook),
        **more,
    }
    return emit(channel_of(tenant), f"cuey.event.{what}", data, PUBLISHER)


def told_of_cron(tenant: str, what: str, cron: Cron, was_active: bool | None) -> Emitted:
    """The channel event `cuey.cron.<what>` of a change by its team."""
    data = {
        "schema": SCHEMA,
        "subject": cron.id,
        "version": cron.version,
        "occurred_at": render_time(cron.updated_at_ms),
        "status": _activity(cron.is_active),
        "previous_status": None if was_active is None else _activity(was_active),
        "cause": "api",
        "cron": _cron(cron),
    }
    return emit(channel_of(tenant), f"cuey.cron.{what}", data, PUBLISHER)


def told_of_outcome(tenant: str, finished: Finished) -> list[Emitted]:
    """What an outcome is told as: success, or failure and what follows from it."""
    webhook, outcome = finished.webhook, finished.webhook.outcome
    assert outcome is not None  # noqa: S101 - it is what it was finished by
    seen = {"response_status": outcome.status, "response_duration": outcome.duration_ms}
    if outcome.is_success:
        return [told(tenant, "succeeded", webhook, Status.PROCESSING, "worker", attempt=webhook.attempt, **seen)]
    retry = finished.retry
    failure = {
        "attempt": webhook.attempt,
        **seen,
        "response_error": outcome.error,
        "will_retry": retry is not None,
        "retries_left": finished.retries_left + (retry is not None),
    }
    failed = told(tenant, "failed", webhook, Status.PROCESSING, "worker", **failure)
    if retry is None:
        more = {"retry_of": webhook.retry_of, "attempts": webhook.attempt}
        return [failed, told(tenant, "exhausted", webhook, Status.PROCESSING, "worker", **more)]
    of = {"retry_of": retry.webhook.retry_of, "attempt": retry.webhook.attempt, "delay_ms": retry.delay_ms}
    return [failed, told(tenant, "retried", retry.webhook, None, "worker", **of)]


def _event(webhook: ScheduledWebhook) -> dict[str, Any]:
    executed = webhook.executed_at_ms
    return {
        "id": webhook.id,
        "cron_id": webhook.cron_id,
        "retry_of": webhook.retry_of,
        "scheduled_at": render_time(webhook.scheduled_at_ms),
        "executed_at": None if executed is None else render_time(executed),
        "status": webhook.status.value,
        "method": webhook.target.method,
        "webhook_host": host_of(webhook.target.webhook_url),
        "updated_at": render_time(webhook.updated_at_ms),
    }


def _cron(cron: Cron) -> dict[str, Any]:
    return {
        "id": cron.id,
        "cron_expression": cron.expression,
        "timezone": cron.timezone,
        "is_active": cron.is_active,
        "method": cron.target.method,
        "webhook_host": host_of(cron.target.webhook_url),
        "updated_at": render_time(cron.updated_at_ms),
    }


def host_of(url: str) -> str:
    """Host and port of a URL, in lower case."""
    return urlsplit(url).netloc.lower()


def _activity(is_active: bool) -> str:
    return "active" if is_active else "inactive"
