"""An iCal subscription: which feed is merged into which calendar, and how that goes (contract 11.2). Pure.

What is known of the feed as it was last read lets the next poll ask whether it changed. It is forgotten when a merge
begins and known again when it is complete, so that one that stopped half-way is made good by the next.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from broker.channels import DAY_MS
from broker.ids import render_time
from broker.strictjson import parse_stored, render_json

SubscriptionStatus = Literal["active", "error", "paused"]
STATUSES: tuple[SubscriptionStatus, ...] = ("active", "error", "paused")
MOST_DOUBLINGS = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """The feed as it was last merged whole: what its server calls it, a digest, when it was expanded and in which zone.

    `left_out` is how many of its events could not be read.
    """

    etag: str | None
    modified: str | None
    digest: str
    expanded_ms: int
    timezone: str
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class IcalSubscription:
    """A subscription. `run` counts polls: only the last that was begun may write, until `runs_until_ms` (0: none is).

    `failures` is how many polls in a row failed. `version` grows with every change that is told.
    """

    id: str
    agent_id: str
    calendar_id: str
    url: str
    created_ms: int
    updated_ms: int
    label: str | None = None
    status: SubscriptionStatus = "active"
    last_synced_ms: int | None = None
    last_error: str | None = None
    failures: int = 0
    run: int = 0
    runs_until_ms: int = 0
    seen: Seen | None = None
    version: int = 1

    def is_running(self, now_ms: int) -> bool:
        """Whether a poll is under way that may still tell what came of it."""
        return now_ms < self.runs_until_ms


def seen_before(subscription: IcalSubscription, timezone: str, now_ms: int) -> Seen | None:
    """What an unchanged feed may be known by; None where it must be read anyhow.

    Once a day it must, as the days ahead that are looked at move on; and when the calendar has another zone.
    """
    seen = subscription.seen
    if seen is None or seen.timezone != timezone or now_ms >= seen.expanded_ms + DAY_MS:
        return None
    return seen


def next_poll_ms(subscription: IcalSubscription, now_ms: int, interval_ms: int, jitter: float) -> int:
    """When to poll next: after the interval times `jitter`, twice that for each failure in a row, 16 times at most."""
    return now_ms + round(interval_ms * jitter * (1 << min(subscription.failures, MOST_DOUBLINGS)))


def touched(subscription: IcalSubscription, now_ms: int) -> IcalSubscription:
    """The subscription as changed now."""
    updated_ms = max(now_ms, subscription.updated_ms + 1)
    return replace(subscription, updated_ms=updated_ms, version=subscription.version + 1)


def render_subscription(subscription: IcalSubscription) -> dict[str, Any]:
    """How it is shown to those whose it is."""
    return {**render_told(subscription), "url": subscription.url, "created_at": render_time(subscription.created_ms)}


def render_told(subscription: IcalSubscription) -> dict[str, Any]:
    """How it is told on channels: without the URL, which is often the right to read."""
    synced_ms = subscription.last_synced_ms
    return {
        "id": subscription.id,
        "agent_id": subscription.agent_id,
        "calendar_id": subscription.calendar_id,
        "label": subscription.label,
        "status": subscription.status,
        "last_synced_at": None if synced_ms is None else render_time(synced_ms),
        "last_error": subscription.last_error,
    }


def render_kept(subscription: IcalSubscription) -> bytes:
    """The body of its document."""
    own = {name: getattr(subscription, name) for name in IcalSubscription.__slots__}
    seen = subscription.seen
    return render_json({**own, "seen": seen and {name: getattr(seen, name) for name in Seen.__slots__}})


def parse_kept(body: bytes) -> IcalSubscription:
    """The subscription of a kept document; trusts its input."""
    own: dict[str, Any] = parse_stored(body)
    return IcalSubscription(**{**own, "seen": own["seen"] and Seen(**own["seen"])})
