"""The machine of a lifecycle event: its statuses, its commands, and the table of what leads where. Pure.

A move stamps its own time and nothing else: the seed's samples show `access_time` and `update_time` as they were at
Create after every transition. Repeating the command that led to the present status changes nothing. All times are Unix
nanoseconds, 0 where there is none, and never run backwards within an event, whatever the clock does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from broker.errors import Conflict


class Kind(IntEnum):
    """What an event is; the names and numbers of these enums are those of the wire (seed)."""

    KindIndependent = 1


class Schedule(IntEnum):
    """Whether its times are planned."""

    SchedulePlanned = 1
    ScheduleUnplanned = 2


class Orientation(IntEnum):
    """How its broadcast lies."""

    BroadcastOrientationVertical = 1
    BroadcastOrientationHorizontal = 2


class Status(IntEnum):
    """Where an event is in its life; the last two are terminal."""

    StatusPending = 1
    StatusStarted = 2
    StatusFinished = 3
    StatusCanceled = 4

    @property
    def is_terminal(self) -> bool:
        """Whether no command leads out of it."""
        return self in (Status.StatusFinished, Status.StatusCanceled)


class Command(StrEnum):
    """What moves an event."""

    START = "Start"
    FINISH = "Finish"
    CANCEL = "Cancel"


Stamp = Literal["start_time_ns", "finish_time_ns", "cancel_time_ns"]


class Move(NamedTuple):
    """Where a command leads, the time that it stamps, and the channel event that tells of it."""

    to: Status
    stamp: Stamp
    told_as: str


START = Move(Status.StatusStarted, "start_time_ns", "lifecycle.event.started")
FINISH = Move(Status.StatusFinished, "finish_time_ns", "lifecycle.event.finished")
CANCEL = Move(Status.StatusCanceled, "cancel_time_ns", "lifecycle.event.canceled")
CREATED = "lifecycle.event.created"

TABLE: Mapping[tuple[Status, Command], Move] = MappingProxyType(
    {
        (Status.StatusPending, Command.START): START,
        (Status.StatusPending, Command.CANCEL): CANCEL,
        (Status.StatusStarted, Command.START): START,
        (Status.StatusStarted, Command.FINISH): FINISH,
        (Status.StatusStarted, Command.CANCEL): CANCEL,
        (Status.StatusFinished, Command.FINISH): FINISH,
        (Status.StatusCanceled, Command.CANCEL): CANCEL,
    }
)
"""All that is allowed. A move to the present status is a repeat, and does nothing; what is not here is refused."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the creator of an event decides; `id` is in lower case. `metadata` is a JSON object, kept exactly."""

    id: str
    kind: Kind
    schedule: Schedule
    orientation: Orientation
    metadata: Mapping[str, Any]
    planned_start_time_ns: int = 0
    planned_finish_time_ns: int = 0


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    """An event as it is now. `version` is 1 at first, and one higher with every change."""

    plan: Plan
    chat_id: str
    room_id: str
    create_time_ns: int
    status: Status = Status.StatusPending
    start_time_ns: int = 0
    finish_time_ns: int = 0
    cancel_time_ns: int = 0
    version: int = 1

    @property
    def id(self) -> str:
        """The id that its creator chose, or that was made up for it."""
        return self.plan.id

    @property
    def latest_ns(self) -> int:
        """The latest of its times: when it came to its status."""
        return max(self.create_time_ns, self.start_time_ns, self.finish_time_ns, self.cancel_time_ns)


def created(plan: Plan, chat_id: str, room_id: str, now_ns: int) -> LifecycleEvent:
    """A new event; `chat_id` and `room_id` are fresh UUIDs."""
    return LifecycleEvent(plan, chat_id, room_id, now_ns)


def moved(event: LifecycleEvent, command: Command, now_ns: int) -> LifecycleEvent:
    """The event after a command, the very same where it repeats; raises `Conflict` for what the table has not."""
    move = TABLE.get((event.status, command))
    if move is None:
        raise Conflict(f"{command} is not possible in {event.status.name}", code="failed_precondition")
    if move.to is event.status:
        return event
    stamp: dict[str, Any] = {move.stamp: max(now_ns, event.latest_ns)}
    return replace(event, status=move.to, version=event.version + 1, **stamp)
