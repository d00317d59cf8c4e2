"""What calendars tell: typed events on a calendar's channel and on its organisation's (contract 9.1, D15). Pure.

One table joins the types to the names that webhooks of the organisation have. `data.payload` is what these are sent.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from broker.change import Emitted, emit
from broker.channels import ChannelRecord, NewChannel
from broker.endpoints import Endpoint
from broker.ids import render_time
from broker.progress import BREAKER_FAILURES, Progress
from handlers.calendar.calendar_event import CalendarEvent, Status, render_calendar_event
from handlers.calendar.calendars import Agent, Calendar, render_agent, render_calendar
from handlers.calendar.imports.subscription import IcalSubscription, render_told
from handlers.calendar.models import Shown, ShownTime
from handlers.calendar.moments import Moment
from handlers.model_schemas import schema_of

PUBLISHER = "system-calendar"
SCHEMA = 1
Cause = Literal["api", "timer", "feed", "worker"]

VENDOR_NAMES = {
    "calendar.event.created": "event.created",
    "calendar.event.updated": "event.updated",
    "calendar.event.deleted": "event.deleted",
    "calendar.event.started": "event.started",
    "calendar.event.ended": "event.ended",
    "calendar.event.reminded": "event.reminder",
    "calendar.hold.created": "event.hold_created",
    "calendar.hold.expired": "event.hold_expired",
    "calendar.hold.released": "event.hold_released",
    "calendar.hold.confirmed": "event.hold_confirmed",
    "calendar.agent.created": "agent.created",
    "calendar.webhook.deactivated": "webhook.deactivated",
}
"""The types that webhooks tell of, and their names there."""

SUMMARIES = {
    "calendar.event.created": "An event was made, by a call or by a feed (`cause`)",
    "calendar.event.updated": "An event was changed, by a call or by its feed",
    "calendar.event.deleted": "An event was removed, by a call or by its feed",
    "calendar.event.started": "The start of a confirmed event has come",
    "calendar.event.ended": "The end of a confirmed event has come",
    "calendar.event.reminded": "The time of a reminder of a confirmed event has come",
    "calendar.hold.created": "A hold was placed",
    "calendar.hold.expired": "A hold ran out, or a stronger one came (`payload.reason`)",
    "calendar.hold.released": "A hold was given up",
    "calendar.hold.confirmed": "A hold became a confirmed event",
    "calendar.agent.created": "An agent was made; on the organisation's channel only",
    "calendar.webhook.deactivated": "Deliveries of a webhook failed too often; on the organisation's channel only",
    "calendar.calendar.created": "A calendar was made",
    "calendar.calendar.updated": "A calendar was changed",
    "calendar.calendar.deleted": "A calendar was removed; of its events nothing more is told",
    "calendar.subscription.created": "An iCal subscription was made",
    "calendar.subscription.updated": "An iCal subscription was changed, or its status by a poll",
    "calendar.subscription.deleted": "An iCal subscription was removed",
}
"""All types, and what each tells."""

TYPES = tuple(SUMMARIES)


class Told(Shown):
    """`data` of each event."""

    schema_number: Annotated[Literal[1], Field(alias="schema", description="Of which form this is.")]
    subject: Annotated[str, Field(description="The id of what changed.")]
    version: Annotated[int, Field(ge=1, description="1 at first, one higher with every change.")]
    occurred_at: ShownTime
    status: str
    previous_status: str | None
    cause: Cause
    payload: Annotated[dict[str, Any], Field(description="What webhooks of the organisation are sent.")]
    order_with: Annotated[
        list[str], Field(default_factory=list, description="Whose events come in the order of this one too.")
    ]


def calendar_channel(tenant: str, calendar_id: str) -> str:
    """The id of a calendar's channel."""
    return f"calendar-{calendar_id.removeprefix('cal_')}-{tenant}"


def org_channel(tenant: str) -> str:
    """The id of the channel of all of an organisation's calendars."""
    return f"calendar-org-{tenant}"


def channel_of(tenant: str, calendar_id: str) -> NewChannel:
    """A calendar's channel as it is made: private."""
    return NewChannel(calendar_channel(tenant, calendar_id), f"Calendar {calendar_id}")


def org_of(tenant: str) -> NewChannel:
    """The organisation's channel as it is made: private, with the schema of its types."""
    types = {name: {"schema": schema_of(Told)} for name in TYPES}
    return NewChannel(org_channel(tenant), f"Calendars of {tenant}", config={"types": types})


def told(
    tenant: str,
    kind: str,
    event: CalendarEvent,
    previous: Status | None,
    cause: Cause,
    payload: dict[str, Any],
    *,
    at_ms: int,
    order_with: tuple[str, ...] = (),
) -> tuple[Emitted, ...]:
    """The event `calendar.<kind>` of a CalendarEvent, on both channels."""
    data = {
        **_head(event.id, event.version, at_ms, event.status.value, previous and previous.value, cause),
        "payload": payload,
        **({"order_with": list(order_with)} if order_with else {}),
    }
    ids = (calendar_channel(tenant, event.calendar_id), org_channel(tenant))
    return tuple(emit(each, f"calendar.{kind}", data, PUBLISHER) for each in ids)


def told_whole(
    tenant: str, kind: str, event: CalendarEvent, previous: Status | None, cause: Cause
) -> tuple[Emitted, ...]:
    """The same of what shows the event whole."""
    payload = {"event": render_calendar_event(event), "calendar_id": event.calendar_id}
    return told(tenant, kind, event, previous, cause, payload, at_ms=event.updated_ms)


def told_of_hold(
    tenant: str, kind: str, event: CalendarEvent, *, order_with: tuple[str, ...] = (), cause: Cause = "api"
) -> tuple[Emitted, ...]:
    """The same of a hold: `kind` is created, confirmed, released or expired."""
    payload: dict[str, Any] = {"event_id": event.id, "calendar_id": event.calendar_id}
    if kind == "created":
        payload |= brief_of(event)
    if kind == "expired":
        payload |= {"reason": "preempted" if event.hold_end == "bumped" else "expired"}
    previous = None if kind == "created" else Status.HOLD
    return told(tenant, f"hold.{kind}", event, previous, cause, payload, at_ms=event.updated_ms, order_with=order_with)


def told_of_moment(tenant: str, event: CalendarEvent, moment: Moment, now_ms: int) -> tuple[Emitted, ...]:
    """The same of a reminder, a start or an end."""
    kind = "reminded" if moment.what == "reminder" else moment.what
    more = {"reminder_minutes": moment.minutes} if moment.what == "reminder" else {}
    payload = {"event_id": event.id, "calendar_id": event.calendar_id, **brief_of(event), **more}
    return told(tenant, f"event.{kind}", event, event.status, "timer", payload, at_ms=now_ms)


def brief_of(event: CalendarEvent) -> dict[str, Any]:
    """What of an event is told beside its id."""
    return {
        "title": event.title,
        "start_time": render_time(event.start_ms),
        "end_time": render_time(event.end_ms),
    }


def told_of_calendar(tenant: str, what: str, calendar: Calendar) -> tuple[Emitted, ...]:
    """The event `calendar.calendar.<what>`, on both channels."""
    head = _head(calendar.id, calendar.version, calendar.updated_ms, what, None, "api")
    data = {**head, "payload": {"calendar": render_calendar(calendar, tenant)}}
    ids = (calendar_channel(tenant, calendar.id), org_channel(tenant))
    return tuple(emit(each, f"calendar.calendar.{what}", data, PUBLISHER) for each in ids)


def told_of_subscription(
    tenant: str, what: str, subscription: IcalSubscription, previous: str | None, cause: Cause
) -> tuple[Emitted, ...]:
    """The event `calendar.subscription.<what>`, on both channels; the URL of a feed is not told."""
    own, at_ms = subscription, subscription.updated_ms
    head = _head(own.id, own.version, at_ms, own.status, previous, cause)
    data = {**head, "payload": {"subscription": render_told(own)}}
    ids = (calendar_channel(tenant, own.calendar_id), org_channel(tenant))
    return tuple(emit(each, f"calendar.subscription.{what}", data, PUBLISHER) for each in ids)


def told_of_agent(tenant: str, agent: Agent) -> tuple[Emitted, ...]:
    """The event `calendar.agent.created`, on the organisation's channel."""
    head = _head(agent.id, agent.version, agent.updated_ms, agent.status, None, "api")
    data = {**head, "payload": {"agent": render_agent(agent, tenant)}}
    return (emit(org_channel(tenant), "calendar.agent.created", data, PUBLISHER),)


def told_of_deactivation(
    channel: ChannelRecord, endpoint: Endpoint, progress: Progress, now_ms: int
) -> tuple[Emitted, ...]:
    """The event `calendar.webhook.deactivated`, on the organisation's channel: its deliveries failed too often."""
    reason = "consecutive_failures" if progress.failures >= BREAKER_FAILURES else "failing_too_long"
    head = _head(endpoint.id, endpoint.activation + 1, now_ms, "inactive", "active", "worker")
    data = {**head, "payload": {"webhook_id": endpoint.id, "url": endpoint.url, "reason": reason}}
    return (emit(channel.id, "calendar.webhook.deactivated", data, PUBLISHER),)


def _head(subject: str, version: int, at_ms: int, status: str, previous: str | None, cause: Cause) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "subject": subject,
        "version": version,
        "occurred_at": render_time(at_ms),
        "status": status,
        "previous_status": previous,
        "cause": cause,
    }
