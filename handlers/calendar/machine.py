"""What a CalendarEvent becomes by a command (contract section 7). Pure.

`TABLE` are the moves of a hold, from which the diagram is drawn; the statuses that are no hold reach one another by a
patch. A command that a status does not know is refused in the words of the API.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from broker.errors import Conflict, Forbidden, Invalid
from handlers.calendar.calendar_event import CalendarEvent, HoldEnd, Status


class Command(StrEnum):
    """What ends a hold."""

    CONFIRM = "confirm"
    RELEASE = "release"
    EXPIRE = "expire"
    BUMP = "bump"


TABLE: dict[Command, tuple[Status, HoldEnd, str]] = {
    Command.CONFIRM: (Status.CONFIRMED, "confirmed", "confirmed"),
    Command.RELEASE: (Status.CANCELLED, "released", "released"),
    Command.EXPIRE: (Status.CANCELLED, "expired", "expired"),
    Command.BUMP: (Status.CANCELLED, "bumped", "expired"),
}
"""What a hold becomes, why it is none any more, and how that is told: `calendar.hold.<word>`."""

FREE = (Status.CONFIRMED, Status.TENTATIVE, Status.CANCELLED)
"""These reach one another by PATCH."""


def ended(hold: CalendarEvent, command: Command, now_ms: int) -> CalendarEvent:
    """What an active or due hold becomes."""
    status, reason, _ = TABLE[command]
    return replace(touched(hold, now_ms), status=status, hold_end=reason, watched_ms=now_ms)


def check_may_end(event: CalendarEvent) -> None:
    """Raises `Forbidden` for an external event, `Conflict` for what is no hold, or none any more.

    The answer does not depend on whether anybody noted the end of a hold: call it with what was settled.
    """
    if event.is_external:
        raise Forbidden("An event of a feed is read-only")
    if event.status is Status.HOLD:
        return
    if event.hold_end in ("expired", "bumped") and event.status is Status.CANCELLED:
        raise Conflict("The hold has ended already", code="hold_expired")
    raise Conflict("The event is not a hold", code="not_a_hold")


def check_may_change(event: CalendarEvent) -> None:
    """Raises `Forbidden` for an external event, `Invalid` for an active hold."""
    if event.is_external:
        raise Forbidden("An event of a feed is read-only")
    if event.status is Status.HOLD:
        raise Invalid("A hold is confirmed, released or left to expire, not changed", type="invalid_transition")


def patched(event: CalendarEvent, changes: dict[str, Any], now_ms: int) -> CalendarEvent:
    """The event with these members changed; raises `Invalid` where it would end before it begins.

    What was a hold only, and is taken back from being cancelled, is an event like any other from then on.
    """
    after = replace(touched(event, now_ms), **changes, watched_ms=now_ms)
    if event.status is Status.CANCELLED and after.status is not Status.CANCELLED:
        after = replace(after, hold_end=None)
    if after.end_ms <= after.start_ms:
        raise Invalid("end_time must be after start_time", param="end_time")
    return after


def touched(event: CalendarEvent, now_ms: int) -> CalendarEvent:
    """The event as changed now; `updated_at` strictly grows."""
    return replace(event, updated_ms=max(now_ms, event.updated_ms + 1), version=event.version + 1)
