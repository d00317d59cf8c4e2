"""The bodies that the live events API takes, as pydantic models (contract section 2).

What is sent is taken strictly, and members that are not known are refused: a setting that cannot be changed must not
seem to have been.
"""

from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from broker.errors import Invalid
from broker.ids import parse_time
from handlers.live.live_event import Visibility
from handlers.live.passwords import MOST_CHARS

SLUG_FORM = "^[a-z0-9](?:[a-z0-9-]{1,48})[a-z0-9]$"
RESERVED_SLUGS = frozenset({"embed", "watch", "events", "limits", "ingest", "new", "admin", "api"})
MOST_KBPS = 1_000_000
MOST_DAYS = 3_650


def _time(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 time")
    try:
        return parse_time(value)
    except Invalid as error:
        raise ValueError(error.message) from None


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("must be an IANA time zone such as Europe/Oslo") from None


def _name(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value.strip()


def _slug(value: str) -> str:
    if value in RESERVED_SLUGS:
        raise ValueError("is reserved")
    return value


def _visibility(value: Any) -> Visibility:
    if isinstance(value, str) and value in list(Visibility):
        return Visibility(value)
    raise ValueError("must be public, token, password or tenant_only")


TIME_SCHEMA: dict[str, Any] = {"type": "string", "format": "date-time"}
TimeTaken = Annotated[int, BeforeValidator(_time), WithJsonSchema(TIME_SCHEMA)]
VisibilityTaken = Annotated[
    Visibility, BeforeValidator(_visibility), WithJsonSchema({"enum": [str(mode) for mode in Visibility]})
]
NameTaken = Annotated[str, AfterValidator(_name), Field(min_length=1, max_length=200)]
DescriptionTaken = Annotated[str, Field(max_length=5_000)]
PasswordTaken = Annotated[str, Field(min_length=1, max_length=MOST_CHARS)]


class Taken(BaseModel):
    """What a request holds."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class PatchTaken(Taken):
    """The body of PATCH; what is null is cleared where that is possible."""

    name: NameTaken | None = None
    description: DescriptionTaken | None = None
    scheduled_start_at: TimeTaken | None = None
    scheduled_end_at: TimeTaken | None = None
    visibility_mode: VisibilityTaken | None = None
    password: PasswordTaken | None = None
    record_enabled: bool | None = None
    replay_enabled: bool | None = None
    embed_enabled: bool | None = None
    auto_start_on_ingest: bool | None = None


class CreateTaken(PatchTaken):
    """The body of POST /events; `name` is required, null is as if left out."""

    name: NameTaken
    slug: Annotated[str, AfterValidator(_slug), Field(pattern=SLUG_FORM)] | None = None
    timezone: Annotated[str, AfterValidator(_zone), Field(max_length=64)] | None = None
    rehearsal_enabled: bool | None = None
    max_bitrate_kbps: Annotated[int, Field(ge=1, le=MOST_KBPS)] | None = None
    retention_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None


class TokenTaken(Taken):
    """The body of POST /tokens."""

    label: Annotated[str, Field(max_length=200)] | None = None
    max_uses: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    expires_at: TimeTaken | None = None


class PasswordVerified(Taken):
    """The body of verify-password."""

    password: Annotated[str, Field(max_length=MOST_CHARS)]


class TokenVerified(Taken):
    """The body of verify-token."""

    token: Annotated[str, Field(max_length=MOST_CHARS)]


class GrantConsumed(Taken):
    """The body of consume-grant."""

    access_grant: Annotated[str, Field(max_length=MOST_CHARS)]
