"""The bodies of cuey as pydantic models: what is taken, and what is shown (contract sections 2 and 6).

What is sent is taken strictly: no number for a text, no `true` or `5.0` for an integer. Members that are not known are
ignored, and those that are the server's to say are among these.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from handlers.cuey.checks import (
    check_headers,
    check_payload,
    check_time,
    check_url,
)
from handlers.cuey.crons import check_expression, check_timezone

UUID_FORM = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
StatusName = Literal["pending", "processing", "success", "failed"]
ShownUuid = Annotated[str, Field(pattern=UUID_FORM)]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Taken(BaseModel):
    """What a request holds."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class RetryTaken(Taken):
    """How a failed call is made again; all three are required."""

    maxRetries: Annotated[int, Field(ge=1, le=10)]  # noqa: N815 - the wire's name
    backoffMs: Annotated[int, Field(ge=100, le=5_000)]  # noqa: N815
    backoffType: Literal["exponential", "linear"]  # noqa: N815


class TargetTaken(Taken):
    """What is called, and how. What a PUT leaves out stays as it is; what it sets to null is cleared."""

    webhook_url: Annotated[str, AfterValidator(check_url), Field(description="An absolute http or https URL.")]
    method: Method = "POST"
    headers: Annotated[dict[str, str] | None, AfterValidator(check_headers)] = None
    payload: Annotated[Any, AfterValidator(check_payload), Field(description="Any JSON, at most 256 KB.")] = None
    retry_config: RetryTaken | None = None


class EventTaken(TargetTaken):
    """The body of a POST or PUT of an event."""

    scheduled_at: Annotated[
        str,
        AfterValidator(check_time),
        Field(description="RFC 3339 with an offset, later than now.", json_schema_extra={"format": "date-time"}),
    ]


class CronTaken(TargetTaken):
    """The body of a POST or PUT of a cron."""

    cron_expression: Annotated[
        str, AfterValidator(check_expression), Field(description="Five fields of numbers and `* , - /`.")
    ]
    timezone: Annotated[
        Annotated[str, AfterValidator(check_timezone)] | None, Field(description="IANA; null is UTC.")
    ] = None
    is_active: bool = True


class Shown(BaseModel):
    """What an answer or a channel event holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EventShown(Shown):
    """An event, all its 19 members, in the order of the seed."""

    id: ShownUuid
    cron_id: ShownUuid | None
    retry_of: ShownUuid | None
    scheduled_at: Time
    executed_at: Time | None
    status: StatusName
    webhook_url: str
    method: Method
    headers: dict[str, str] | None
    payload: Any
    retry_config: RetryTaken | None
    response_status: int | None
    response_headers: dict[str, str] | None
    response_body: str | None
    response_duration: int | None
    response_error: str | None
    created_at: Time
    updated_at: Time
    team_id: ShownUuid


class CronShown(Shown):
    """A cron."""

    id: ShownUuid
    cron_expression: str
    timezone: str | None
    webhook_url: str
    method: Method
    headers: dict[str, str] | None
    payload: Any
    retry_config: RetryTaken | None
    is_active: bool
    created_at: Time
    updated_at: Time
    team_id: ShownUuid


class PaginationShown(Shown):
    """Where a page lies; `total` counts what the filters let through."""

    page: Annotated[int, Field(ge=0)]
    limit: Annotated[int, Field(ge=1)]
    total: Annotated[int, Field(ge=0)]


class OneEventShown(Shown):
    """The answer about an event."""

    data: EventShown


class EventsShown(Shown):
    """A page of events, the latest `scheduled_at` first."""

    data: list[EventShown]
    pagination: PaginationShown


class OneCronShown(Shown):
    """The answer about a cron."""

    data: CronShown


class CronsShown(Shown):
    """A page of crons, the newest first."""

    data: list[CronShown]
    pagination: PaginationShown


class SuccessShown(Shown):
    """That it was done."""

    success: Literal[True]


class DoneShown(Shown):
    """The answer to a DELETE."""

    data: SuccessShown


class ErrorBody(Shown):
    """What is wrong; `details` of a VALIDATION_ERROR are a list of `{path, message}`."""

    message: str
    code: Literal[
        "VALIDATION_ERROR", "BAD_REQUEST", "UNAUTHORIZED", "NOT_FOUND", "RATE_LIMITED", "INTERNAL_SERVER_ERROR"
    ]
    details: Any = None


class ErrorShown(Shown):
    """The body of every error."""

    error: ErrorBody
