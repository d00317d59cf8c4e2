"""The bodies of subscriptions as pydantic models: what is taken, and what is shown (contract 11.2)."""

from typing import Annotated, Literal

from pydantic import Field

from handlers.calendar.models import PageShown, Shown, ShownTime, Taken

StatusName = Literal["active", "error", "paused"]
Label = Annotated[str, Field(min_length=1, max_length=255)]
FeedUrl = Annotated[str, Field(max_length=2_048, description="Of an iCalendar file; https.")]


class SubscriptionTaken(Taken):
    """A new subscription."""

    calendar_id: Annotated[str, Field(min_length=1, max_length=64)]
    url: FeedUrl
    label: Label | None = None


class SubscriptionPatched(Taken):
    """What to change of a subscription; at least one member."""

    url: FeedUrl = Field(default_factory=str)
    label: Label | None = None
    status: Literal["active", "paused"] = "active"


class SubscriptionShown(Shown):
    """A subscription. `last_synced_at` is when the feed was last as the calendar has it."""

    id: str
    agent_id: str
    calendar_id: str
    url: str
    label: str | None
    status: StatusName
    last_synced_at: ShownTime | None
    last_error: str | None
    created_at: ShownTime


class SubscriptionsShown(PageShown):
    """Subscriptions by when they were made."""

    data: list[SubscriptionShown]


class SyncShown(Shown):
    """That a poll was asked for."""

    status: Literal["syncing"]
