"""A CalendarEvent: what it is, how it is kept, and how it is shown (contract sections 6.2 and 7). Pure.

Times are Unix milliseconds: what a caller gave more exactly is rounded down. `watched_ms` is the moment up to which its
reminders, its start and its end have been seen to: what lies at or before it is told no more.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from broker.ids import render_time
from broker.strictjson import parse_stored, render_json

Source = Literal["internal", "external_ical"]
HoldEnd = Literal["expired", "bumped", "released", "confirmed"]


class Status(StrEnum):
    """What a CalendarEvent is at a time; only a creation makes a hold."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An entry of a calendar.

    `reminders` are minutes before the start; None inherits, () means none. `hold_end` says why what was born as a hold
    is none any more; it is None again once a PATCH made a cancelled one an ordinary event. `version` grows by one with
    every change. One of a feed names its subscription; it is transparent where it takes nobody's time.
    """

    id: str
    calendar_id: str
    title: str
    start_ms: int
    end_ms: int
    created_ms: int
    updated_ms: int
    description: str | None = None
    all_day: bool = False
    status: Status = Status.CONFIRMED
    source: Source = "internal"
    metadata: dict[str, Any] = field(default_factory=dict)
    reminders: tuple[int, ...] | None = None
    hold_expires_ms: int | None = None
    hold_priority: int = 0
    hold_end: HoldEnd | None = None
    watched_ms: int = 0
    version: int = 1
    subscription_id: str | None = None
    is_transparent: bool = False

    @property
    def is_external(self) -> bool:
        """Whether it is of a feed, and changes with that only."""
        return self.source != "internal"

    def is_active_hold(self, now_ms: int) -> bool:
        """Whether it holds its slot: the clock decides, whatever was written meanwhile."""
        return self.status is Status.HOLD and self.hold_expires_ms is not None and now_ms < self.hold_expires_ms

    def is_due_hold(self, now_ms: int) -> bool:
        """Whether it is a hold whose time is over, and nobody has said so yet."""
        return self.status is Status.HOLD and not self.is_active_hold(now_ms)


def render_calendar_event(event: CalendarEvent) -> dict[str, Any]:
    """How it is shown; the members of holds only where it was born as one."""
    hold: dict[str, Any] = {}
    if event.hold_expires_ms is not None:
        hold = {"hold_expires_at": render_time(event.hold_expires_ms), "hold_priority": event.hold_priority}
    return {
        "id": event.id,
        "calendar_id": event.calendar_id,
        "title": event.title,
        "start_time": render_time(event.start_ms),
        "end_time": render_time(event.end_ms),
        "description": event.description,
        "all_day": event.all_day,
        "status": event.status.value,
        "source": event.source,
        "metadata": event.metadata,
        "reminders": None if event.reminders is None else list(event.reminders),
        **hold,
        "created_at": render_time(event.created_ms),
        "updated_at": render_time(event.updated_ms),
    }


def render_kept(event: CalendarEvent) -> bytes:
    """The body of its document; metadata is exact."""
    return render_json({name: getattr(event, name) for name in CalendarEvent.__slots__})


def parse_kept(body: bytes) -> CalendarEvent:
    """The event of a kept document; trusts its input."""
    own: dict[str, Any] = parse_stored(body)
    reminders = None if own["reminders"] is None else tuple(own["reminders"])
    return CalendarEvent(**{**own, "status": Status(own["status"]), "reminders": reminders})
