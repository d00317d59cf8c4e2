"""The machine of a live event: its statuses, its commands, and the table of what leads where (contract 3). Pure.

`draft` is for credentials that are not provisioned yet, `failed` for a fault of a media server that cannot be mended;
here credentials are made with the event and no such fault is told, so neither is reached, and both are understood.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from broker.errors import Conflict


class Status(StrEnum):
    """Where an event is in its life; the last three are terminal."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    READY = "ready"
    REHEARSAL = "rehearsal"
    LIVE = "live"
    ENDING = "ending"
    PROCESSING = "processing"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Command(StrEnum):
    """What moves an event: a call, an encoder, or the time."""

    SCHEDULE = "schedule"
    READY = "ready"
    REHEARSE = "rehearsal/start"
    START = "live/start"
    STOP = "live/stop"
    PROCESS = "process"
    END = "end"
    FAIL = "fail"
    CANCEL = "cancel"


S, C = Status, Command
TABLE: Mapping[tuple[Status, Command], Status] = MappingProxyType(
    {
        (S.DRAFT, C.SCHEDULE): S.SCHEDULED,
        (S.DRAFT, C.READY): S.READY,
        (S.SCHEDULED, C.READY): S.READY,
        (S.READY, C.SCHEDULE): S.SCHEDULED,
        (S.READY, C.REHEARSE): S.REHEARSAL,
        (S.READY, C.START): S.LIVE,
        (S.REHEARSAL, C.START): S.LIVE,
        (S.REHEARSAL, C.STOP): S.ENDING,
        (S.LIVE, C.STOP): S.ENDING,
        (S.ENDING, C.PROCESS): S.PROCESSING,
        (S.ENDING, C.END): S.ENDED,
        (S.PROCESSING, C.END): S.ENDED,
        (S.SCHEDULED, C.CANCEL): S.CANCELLED,
        (S.READY, C.CANCEL): S.CANCELLED,
        **{
            (status, C.FAIL): S.FAILED
            for status in (S.DRAFT, S.SCHEDULED, S.READY, S.REHEARSAL, S.LIVE, S.ENDING, S.PROCESSING)
        },
    }
)
"""All that is allowed; what is not here is refused, also what was done already (a second `live/start` is 409)."""

UPDATABLE = frozenset({S.DRAFT, S.SCHEDULED, S.READY})
"""In which an event may be changed by PATCH."""

BUSY = frozenset({S.LIVE, S.ENDING, S.PROCESSING})
"""In which it may be neither deleted nor given a new stream key."""

STREAMABLE = frozenset({S.SCHEDULED, S.READY, S.REHEARSAL, S.LIVE})
"""In which an encoder may connect: an early one tries its line before anybody watches."""


def led(status: Status, command: Command) -> Status:
    """The status after a command; raises `Conflict` for what the table has not."""
    after = TABLE.get((status, command))
    if after is None:
        wanted = sorted(before for before, known in TABLE if known is command)
        raise Conflict(f"The event is {status}; {command} needs {' or '.join(wanted)}", code="WRONG_STATE")
    return after


def check_updatable(status: Status) -> None:
    """Raises `Conflict` where PATCH is not allowed."""
    if status not in UPDATABLE:
        raise Conflict(
            f"The event is {status}; only draft, scheduled or ready events can be changed", code="WRONG_STATE"
        )


def check_idle(status: Status, what: str) -> None:
    """Raises `Conflict` where an event is live or being wound up; `what` is what was wanted."""
    if status in BUSY:
        raise Conflict(f"The event is {status}; it cannot {what} while live, ending or processing", code="WRONG_STATE")
