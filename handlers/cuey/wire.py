"""From bodies to values and back (contract sections 2, 3 and 6). Pure.

What is wrong with a body is told whole: `details` are `{path, message}` for each member.
"""

import uuid
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from broker.errors import Invalid
from broker.ids import render_time
from handlers.cuey.checks import parse_moment
from handlers.cuey.crons import Cron
from handlers.cuey.machine import RetryConfig, ScheduledWebhook, Target
from handlers.cuey.models import CronShown, CronTaken, EventShown, EventTaken, RetryTaken, TargetTaken
from handlers.model_faults import fault_of

MOST_DETAILS = 20
TEAMS = uuid.UUID("0b6ab3a4-6a3f-5f4e-9d1c-6d8a5c3e7f10")
"""The namespace of team ids: a tenant is known by its name here, and by a UUID to clients of this API (seed)."""

M = TypeVar("M", bound=BaseModel)


class AskedEvent(NamedTuple):
    """What a body asks an event to be."""

    taken: EventTaken
    scheduled_at_ms: int


def parse_event(body: Any) -> AskedEvent:
    """What a POST or PUT of an event asks for; raises `Invalid`."""
    taken = _parse(EventTaken, body)
    return AskedEvent(taken, parse_moment(taken.scheduled_at))


def parse_cron(body: Any) -> CronTaken:
    """What a POST or PUT of a cron asks for; raises `Invalid`."""
    return _parse(CronTaken, body)


def target_of(taken: TargetTaken, before: Target | None = None) -> Target:
    """What is to be called; what was left out is as it was `before`."""
    own = {"webhook_url": taken.webhook_url, "method": taken.method, "headers": taken.headers, "payload": taken.payload}
    own["retry_config"] = None if taken.retry_config is None else _config(taken.retry_config)
    if before is not None:
        own |= {name: getattr(before, name) for name in own.keys() - taken.model_fields_set}
    return Target(**own)


def parse_id(text: str) -> str | None:
    """An id in a path, in lower case; None for what is no UUID: no such thing is there."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return str(found) if str(found) == text.lower() else None


def team_id_of(tenant: str) -> str:
    """The UUID of a tenant."""
    return str(uuid.uuid5(TEAMS, tenant))


def render_event(webhook: ScheduledWebhook, tenant: str) -> dict[str, Any]:
    """An event as its team sees it. What is null was not there; `response_error` is set exactly when it failed."""
    outcome = webhook.outcome
    return EventShown(
        id=webhook.id,
        cron_id=webhook.cron_id,
        retry_of=webhook.retry_of,
        scheduled_at=render_time(webhook.scheduled_at_ms),
        executed_at=_time(webhook.executed_at_ms),
        status=webhook.status.value,
        **_render_target(webhook.target),
        response_status=outcome.status if outcome else None,
        response_headers=dict(outcome.headers) if outcome and outcome.headers is not None else None,
        response_body=outcome.body if outcome else None,
        response_duration=outcome.duration_ms if outcome else None,
        response_error=outcome.error if outcome else None,
        created_at=render_time(webhook.created_at_ms),
        updated_at=render_time(webhook.updated_at_ms),
        team_id=team_id_of(tenant),
    ).model_dump()


def render_cron(cron: Cron, tenant: str) -> dict[str, Any]:
    """A cron as its team sees it."""
    return CronShown(
        id=cron.id,
        cron_expression=cron.expression,
        timezone=cron.timezone,
        **_render_target(cron.target),
        is_active=cron.is_active,
        created_at=render_time(cron.created_at_ms),
        updated_at=render_time(cron.updated_at_ms),
        team_id=team_id_of(tenant),
    ).model_dump()


def validation(details: list[dict[str, Any]]) -> Invalid:
    """The refusal that tells these details, and the first of them in its text."""
    first = details[0]
    place = ".".join(map(str, first["path"]))
    message = f"{place} {first['message']}" if place else str(first["message"])
    return Invalid(message, code="VALIDATION_ERROR", details=details[:MOST_DETAILS])


def _render_target(target: Target) -> dict[str, Any]:
    config = target.retry_config
    shown = config and RetryTaken(maxRetries=config.most, backoffMs=config.backoff_ms, backoffType=config.backoff)
    return {
        "webhook_url": target.webhook_url,
        "method": target.method,
        "headers": None if target.headers is None else dict(target.headers),
        "payload": target.payload,
        "retry_config": shown,
    }


def _parse(model: type[M], body: Any) -> M:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise validation([_detail(each) for each in error.errors(include_url=False)]) from None


def _detail(error: Any) -> dict[str, Any]:
    return {"path": [*error["loc"]], "message": fault_of(error)}


def _config(taken: RetryTaken) -> RetryConfig:
    return RetryConfig(taken.maxRetries, taken.backoffMs, taken.backoffType)


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else render_time(at_ms)
