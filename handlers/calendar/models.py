"""The bodies of calendars as pydantic models: what is taken, and what is shown (contract sections 3 to 6, 10, 12).

What is sent is taken strictly: no number for a text, no `true` or `5.0` for an integer. Unknown members are ignored.
"""

from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from broker.strictjson import render_json
from handlers.calendar.calendar_event import Source
from handlers.calendar.calendars import AgentKind, AgentStatus
from handlers.calendar.times import check_instant

MOST_METADATA = 16_384
MOST_DESCRIPTION = 8_192
MOST_REMINDERS = 5
MOST_MINUTES = 40_320

StatusName = Literal["confirmed", "tentative", "cancelled", "hold"]
ShownTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def _check_metadata(value: dict[str, Any]) -> dict[str, Any]:
    if len(render_json(value).decode()) > MOST_METADATA:
        raise ValueError(f"must be at most {MOST_METADATA} characters as JSON")
    return value


def _check_reminders(value: list[int]) -> list[int]:
    return sorted(set(value))


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_timezone(value: str) -> str:
    if value not in _timezones():
        raise ValueError("must be an IANA time zone such as Europe/Berlin")
    return value


Time = Annotated[
    str, AfterValidator(check_instant), Field(description="ISO 8601.", json_schema_extra={"format": "date-time"})
]
Title = Annotated[str, Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Description = Annotated[str, Field(max_length=MOST_DESCRIPTION)]
Metadata = Annotated[dict[str, Any], AfterValidator(_check_metadata)]
Timezone = Annotated[str, AfterValidator(_check_timezone)]
Reminders = Annotated[
    list[Annotated[int, Field(ge=1, le=MOST_MINUTES)]],
    Field(max_length=MOST_REMINDERS),
    AfterValidator(_check_reminders),
]


class Taken(BaseModel):
    """What a request holds."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class EventTaken(Taken):
    """A new event."""

    title: Title
    start_time: Time
    end_time: Time
    description: Description = ""
    all_day: bool = False
    status: StatusName = "confirmed"
    metadata: Metadata = Field(default_factory=dict)
    reminders: Reminders | None = None
    hold_expires_at: Time = Field(default_factory=str)
    hold_priority: Annotated[int, Field(ge=0, le=100)] = 0


class EventPatched(Taken):
    """What to change of an event; at least one member."""

    title: Title = Field(default_factory=str)
    start_time: Time = Field(default_factory=str)
    end_time: Time = Field(default_factory=str)
    description: Description | None = None
    all_day: bool = False
    status: Literal["confirmed", "tentative", "cancelled"] = "confirmed"
    metadata: Metadata = Field(default_factory=dict)
    reminders: Reminders | None = None


class CalendarTaken(Taken):
    """A new calendar."""

    name: Name
    timezone: Timezone
    agent_status: AgentStatus = "idle"
    default_reminders: Reminders | None = None
    metadata: Metadata = Field(default_factory=dict)


class CalendarPatched(Taken):
    """What to change of a calendar; at least one member."""

    name: Name = Field(default_factory=str)
    timezone: Timezone = Field(default_factory=str)
    agent_status: AgentStatus = "idle"
    default_reminders: Reminders | None = None
    metadata: Metadata = Field(default_factory=dict)


class AgentTaken(Taken):
    """A new agent."""

    name: Name
    type: AgentKind
    description: Description | None = None
    metadata: Metadata = Field(default_factory=dict)


class Shown(BaseModel):
    """What an answer or a channel event holds."""

    model_config = ConfigDict(frozen=True)


class EventShown(Shown):
    """An event; the two members of holds only where it was born as one."""

    id: str
    calendar_id: str
    title: str
    start_time: ShownTime
    end_time: ShownTime
    description: str | None
    all_day: bool
    status: StatusName
    source: Source
    metadata: dict[str, Any]
    reminders: list[int] | None
    hold_expires_at: ShownTime = Field(default_factory=str)
    hold_priority: int = 0
    created_at: ShownTime
    updated_at: ShownTime


class CalendarShown(Shown):
    """A calendar."""

    id: str
    org_id: str
    agent_id: str | None
    name: str
    timezone: str
    agent_status: AgentStatus
    default_reminders: list[int] | None
    metadata: dict[str, Any]
    ical_url: str
    created_at: ShownTime
    updated_at: ShownTime


class AgentShown(Shown):
    """An agent."""

    id: str
    org_id: str
    name: str
    type: AgentKind
    description: str | None
    status: Literal["active", "paused", "decommissioned"]
    metadata: dict[str, Any]
    created_at: ShownTime
    updated_at: ShownTime


class PageShown(Shown):
    """A page of a list; `total` is of the filtered set."""

    total: int
    limit: int
    offset: int


class EventsShown(PageShown):
    """Events by start, then id."""

    data: list[EventShown]


class CalendarsShown(PageShown):
    """Calendars by when they were made."""

    data: list[CalendarShown]


class AgentsShown(PageShown):
    """Agents by when they were made."""

    data: list[AgentShown]


class SlotShown(Shown):
    """A stretch of time."""

    start: ShownTime
    end: ShownTime


class SourcesShown(Shown):
    """What availability was made of."""

    chronary: Literal["current"]
    external: Literal["current", "stale", "partial", "unavailable"]
    last_synced_at: ShownTime | None


class WarningShown(Shown):
    """Why the slots may not be all that there is to know."""

    code: Literal["availability_incomplete"]
    message: str


class AvailabilityShown(Shown):
    """What `availability` of a calendar and of an agent have in common."""

    slots: list[SlotShown]
    availability_state: Literal["complete", "stale", "partial"]
    sources: SourcesShown
    warnings: list[WarningShown]


class CalendarAvailabilityShown(AvailabilityShown):
    """When a calendar is free."""

    calendar_id: str
    busy: list[SlotShown] = Field(default_factory=list)


class AgentAvailabilityShown(AvailabilityShown):
    """When an agent is free."""

    agents: list[str]
    per_agent_busy: dict[str, list[SlotShown]] = Field(default_factory=dict)


class HoldMet(Shown):
    """The hold that could not be beaten."""

    id: str
    hold_expires_at: ShownTime
    hold_priority: int


class ErrorBody(Shown):
    """What went wrong. `hold`, `channel` and `cursor` are of a `hold_conflict`: from there its next change comes."""

    type: str
    message: str
    param: str | None
    request_id: str
    code: str = ""
    hold: HoldMet | None = None
    channel: str = ""
    cursor: str = ""


class ErrorShown(Shown):
    """The body of every refusal."""

    error: ErrorBody
