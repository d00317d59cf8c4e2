"""The bodies of the organisation's webhooks as pydantic models (contract section 10)."""

from typing import Annotated, Any, Literal

from pydantic import Field

from broker.targets import MAX_URL
from handlers.calendar.models import PageShown, Shown, ShownTime, Taken

EventName = Literal[
    "agent.created",
    "agent.updated",
    "event.created",
    "event.updated",
    "event.deleted",
    "event.started",
    "event.ended",
    "event.reminder",
    "event.hold_created",
    "event.hold_expired",
    "event.hold_released",
    "event.hold_confirmed",
    "proposal.created",
    "proposal.responded",
    "proposal.confirmed",
    "proposal.expired",
    "proposal.cancelled",
    "webhook.deactivated",
]
"""All that may be asked for; of `agent.updated` and of proposals there is nothing to tell here."""

DeliveryStatus = Literal["pending", "delivered", "failed"]
Url = Annotated[str, Field(min_length=1, max_length=MAX_URL, description="A public http or https URL.")]
Events = Annotated[list[EventName], Field(min_length=1, max_length=64)]


class WebhookTaken(Taken):
    """A new webhook."""

    url: Url
    events: Events


class WebhookPatched(Taken):
    """What to change of a webhook; at least one member."""

    url: Url = Field(default_factory=str)
    events: Events = Field(default_factory=list)
    active: bool = True


class ReplayTaken(Taken):
    """From where on to deliver again."""

    cursor: Annotated[str, Field(description="Everything after it is delivered.")]


class WebhookShown(Shown):
    """A webhook."""

    id: str
    org_id: str
    url: str
    events: list[EventName]
    active: bool
    consecutive_failures: Annotated[int, Field(description="Deliveries given up since the last one that was taken.")]
    first_failure_at: ShownTime | None
    created_at: ShownTime


class WebhookMade(WebhookShown):
    """A new webhook, with what verifies its deliveries: shown this once."""

    secret: Annotated[str, Field(pattern="^whsec_")]


class GapShown(Shown):
    """A stretch of the organisation's channel that was not delivered: `until` is its last event."""

    after: str
    until: str
    at: ShownTime


class WebhookWhole(WebhookShown):
    """A webhook, up to where everything was delivered or given up, and its newest gaps."""

    cursor: str
    gaps: list[GapShown]


class WebhooksShown(PageShown):
    """Webhooks by when they were made."""

    data: list[WebhookShown]


class DeliveryShown(Shown):
    """One delivery, of one event; `payload` where it was asked for, null when the event is gone."""

    id: str
    subscription_id: str
    event_type: EventName
    status: DeliveryStatus
    attempts: int
    last_attempt_at: ShownTime | None
    next_retry_at: ShownTime | None
    created_at: ShownTime
    response_status: int | None
    error: str | None
    payload: dict[str, Any] | None = None


class StatsShown(Shown):
    """How many deliveries there are and were, of all time."""

    pending: int
    delivered: int
    failed: int


class DeliveriesShown(PageShown):
    """Deliveries, newest first: all that are pending, and the last 1,000 of the others for 30 days."""

    data: list[DeliveryShown]
    stats: StatsShown
