"""What is asked of the process that reads feeds, and what it says: all that happens in a span of time. Pure.

An occurrence is an event of a feed, or one happening of a recurring one; all that is compared with what is there.
"""

import hashlib
from typing import Any, Literal, NamedTuple

ID_LETTERS = 26
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

MOST_ANSWER_BYTES = 4_194_304
"""How much the reading process says at most."""

NO_MEMORY = "reading it takes more memory than a feed may"


class Span(NamedTuple):
    """What is asked of a feed: all that touches this time; `zone` is where times without one are, and days begin."""

    from_ms: int
    to_ms: int
    zone: str
    most: int


class Occurrence(NamedTuple):
    """One happening. `recurrence` says which of its UID: when it would be by the rule; '' where there is no rule."""

    uid: str
    recurrence: str
    start_ms: int
    end_ms: int
    title: str
    description: str | None
    all_day: bool
    status: Literal["confirmed", "tentative", "cancelled"]
    is_transparent: bool
    location: str | None


class Expanded(NamedTuple):
    """What was read of a feed, and how many of its events could not be."""

    occurrences: list[Occurrence]
    left_out: int


def event_id_of(subscription_id: str, occurrence: Occurrence) -> str:
    """The id of its event: the same whenever the feed is read, and another one in another subscription."""
    name = "\0".join((subscription_id, occurrence.uid, occurrence.recurrence))
    number = int.from_bytes(hashlib.sha256(name.encode(errors="replace")).digest()[:17], "big")
    return "evt_" + "".join(_LETTERS[number >> 5 * place & 31] for place in range(ID_LETTERS))


def render_expanded(expanded: Expanded) -> dict[str, Any]:
    """As the reading process writes it."""
    return {"occurrences": [list(each) for each in expanded.occurrences], "left_out": expanded.left_out}


def parse_expanded(told: dict[str, Any]) -> Expanded:
    """What the reading process wrote; raises `TypeError`, `KeyError` for anything else."""
    return Expanded([Occurrence(*each) for each in told["occurrences"]], int(told["left_out"]))
