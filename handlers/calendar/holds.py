"""The active holds of one calendar, and what a new one meets (contract section 8). Pure.

All of them are one document, so that no two new holds can miss each other.
"""

from collections.abc import Sequence
from typing import NamedTuple

from broker.strictjson import parse_stored, render_json

MOST_HOLDS = 100


class Hold(NamedTuple):
    """A hold as others meet it."""

    id: str
    start_ms: int
    end_ms: int
    expires_ms: int
    priority: int

    def overlaps(self, other: "Hold") -> bool:
        """Whether both want a moment; where one ends another one may begin."""
        return self.start_ms < other.end_ms and other.start_ms < self.end_ms


class Meeting(NamedTuple):
    """What becomes of the holds that are there when a new one comes.

    `expired` are past their time, `bumped` are beaten; `blocking` is the hold that the new one cannot beat.
    """

    expired: tuple[Hold, ...]
    bumped: tuple[Hold, ...]
    kept: tuple[Hold, ...]
    blocking: Hold | None


def meet(holds: Sequence[Hold], new: Hold, now_ms: int) -> Meeting:
    """A new hold must have a strictly higher priority than each that it overlaps, else nothing changes."""
    expired, active = split(holds, now_ms)
    met = sorted((each for each in active if each.overlaps(new)), key=lambda each: (each.start_ms, each.id))
    strong = [each for each in met if each.priority >= new.priority]
    if strong:
        # The last of them to end: before that the newcomer has no chance.
        return Meeting(expired, (), active, max(strong, key=lambda each: each.expires_ms))
    kept = tuple(each for each in active if each not in met)
    return Meeting(expired, tuple(met), (*kept, new), None)


def split(holds: Sequence[Hold], now_ms: int) -> tuple[tuple[Hold, ...], tuple[Hold, ...]]:
    """Those whose time is over, in the order in which it ended, and the others."""
    expired = sorted((each for each in holds if each.expires_ms <= now_ms), key=lambda each: (each.expires_ms, each.id))
    return tuple(expired), tuple(each for each in holds if each.expires_ms > now_ms)


def without(holds: Sequence[Hold], event_id: str) -> tuple[Hold, ...]:
    """The holds without one of them."""
    return tuple(each for each in holds if each.id != event_id)


def next_expiry(holds: Sequence[Hold]) -> int | None:
    """When the first of them ends, in ms; None where there is none."""
    return min((each.expires_ms for each in holds), default=None)


def render_holds(holds: Sequence[Hold]) -> bytes:
    """The document that is kept."""
    return render_json([list(each) for each in holds])


def parse_holds(body: bytes) -> tuple[Hold, ...]:
    """The holds of a kept document; trusts its input."""
    return tuple(Hold(*each) for each in parse_stored(body))
