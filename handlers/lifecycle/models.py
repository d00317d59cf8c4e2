"""The bodies of the lifecycle API as pydantic models: what is taken, and what is shown (contract sections 2 and 3).

What is sent is taken strictly: no number for a text, no float for an integer, no null for what is left out. Members
that are not known are ignored, but not where they would narrow a query: an ignored filter would match too much.
"""

import re
from enum import IntEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from broker.strictjson import render_json
from handlers.lifecycle.machine import Kind, Orientation, Schedule

MOST = 100
"""How many arguments a call may have, and how many ids."""

MOST_METADATA_BYTES = 16_384
EARLIEST_NS = 10**17
"""In 1973. What is less is no time of this era in nanoseconds, but one in another unit."""

LATEST_NS = (1 << 63) - 1
UUID_FORM = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
NIL = "00000000-0000-0000-0000-000000000000"
NANOSECONDS = "Unix time in nanoseconds, an integer; 0 when unset."

E = TypeVar("E", bound=IntEnum)


def _uuid(value: str) -> str:
    if re.fullmatch(UUID_FORM, value, re.ASCII) is None or value == NIL:
        raise ValueError("must be a UUID such as c2ed3890-716d-4380-a597-d860ecacada0, and not the nil one")
    return value.lower()


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(render_json(value)) > MOST_METADATA_BYTES:
        raise ValueError(f"must be at most {MOST_METADATA_BYTES} bytes as JSON")
    return value


def _time(value: int) -> int:
    if value and not EARLIEST_NS <= value <= LATEST_NS:
        raise ValueError("must be Unix time in nanoseconds (19 digits today), or 0")
    return value


def _member(kind: type[E]) -> BeforeValidator:
    def parse(value: Any) -> E:
        for member in kind:
            if value == member.name or (type(value) is int and value == member.value):
                return member
        raise ValueError("must be " + " or ".join(f"{member.name} ({member.value})" for member in kind))

    return BeforeValidator(parse)


def _either(kind: type[IntEnum]) -> WithJsonSchema:
    return WithJsonSchema({"enum": [*(member.name for member in kind), *(member.value for member in kind)]})


Uuid = Annotated[str, AfterValidator(_uuid), WithJsonSchema({"type": "string", "pattern": UUID_FORM})]
PlannedTime = Annotated[
    int,
    AfterValidator(_time),
    WithJsonSchema(
        {"type": "integer", "minimum": 0, "maximum": LATEST_NS, "description": NANOSECONDS, "format": "int64"}
    ),
]


class Taken(BaseModel):
    """What a request holds."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class BroadcastTaken(Taken):
    """`broadcast` of a new event."""

    orientation: Annotated[Orientation, _member(Orientation), _either(Orientation)]


class PlanTaken(Taken):
    """An argument of Create."""

    id: Annotated[Uuid, Field(default_factory=str, description="Made up where it is left out.")]
    kind: Annotated[Kind, _member(Kind), _either(Kind)]
    metadata: Annotated[
        dict[str, Any], AfterValidator(_metadata), Field(description="Any JSON object, at most 16 KB.")
    ] = Field(default_factory=dict)
    schedule: Annotated[Schedule, _member(Schedule), _either(Schedule)]
    broadcast: BroadcastTaken
    planned_start_time: PlannedTime = 0
    planned_finish_time: PlannedTime = 0


class CreateTaken(Taken):
    """The body of Create."""

    arguments: Annotated[list[PlanTaken], Field(min_length=1, max_length=MOST)]


class ConditionTaken(Taken):
    """Events that are meant: those with one of these ids."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Uuid], Field(min_length=1, max_length=MOST)]


class QueryTaken(Taken):
    """Events that are meant: those of any of the conditions."""

    model_config = ConfigDict(extra="forbid")

    conditions: Annotated[list[ConditionTaken], Field(min_length=1, max_length=MOST)]


class QueryArgumentTaken(Taken):
    """An argument of Start, Finish, Cancel and Select."""

    query: QueryTaken


class QueriesTaken(Taken):
    """The body of Start, Finish, Cancel and Select; 100 ids in all at most."""

    arguments: Annotated[list[QueryArgumentTaken], Field(min_length=1, max_length=MOST)]


Nanoseconds = Annotated[int, Field(ge=0, description=NANOSECONDS)]
StatusName = Literal["StatusPending", "StatusStarted", "StatusFinished", "StatusCanceled"]
ShownUuid = Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Shown(BaseModel):
    """What an answer or a channel event holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BroadcastShown(Shown):
    """`broadcast` of an event."""

    orientation: Literal["BroadcastOrientationVertical", "BroadcastOrientationHorizontal"]


class EventShown(Shown):
    """An event, with its members in the order of the seed."""

    id: ShownUuid
    chat_id: ShownUuid
    room_id: ShownUuid
    kind: Literal["KindIndependent"]
    status: StatusName
    metadata: dict[str, Any]
    schedule: Literal["SchedulePlanned", "ScheduleUnplanned"]
    broadcast: BroadcastShown
    planned_start_time: Nanoseconds
    planned_finish_time: Nanoseconds
    start_time: Nanoseconds
    cancel_time: Nanoseconds
    finish_time: Nanoseconds
    access_time: Nanoseconds
    create_time: Nanoseconds
    update_time: Nanoseconds


class EventsShown(Shown):
    """The body of every success."""

    events: list[EventShown]


class DetailShown(Shown):
    """What is wrong, and where."""

    argument: Annotated[int, Field(description="Which one, from 0.")] | None = None
    id: str | None = None
    field: str | None = None
    message: str | None = None


class ErrorShown(Shown):
    """The body of every error."""

    code: Literal[
        "unauthenticated",
        "permission_denied",
        "invalid_argument",
        "not_found",
        "already_exists",
        "failed_precondition",
        "unimplemented",
        "resource_exhausted",
        "unavailable",
        "internal",
    ]
    message: str
    details: list[DetailShown] = []
