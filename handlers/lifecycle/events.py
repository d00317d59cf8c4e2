"""What the lifecycle tells: typed events on `lifecycle-team-<tenant>`, with their JSON Schemas (contract 7). Pure.

Each change of an event is told once, in the commit that makes it, with the whole event as it is after it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from broker.change import Emitted, emit
from broker.channels import NewChannel
from broker.ids import render_time
from handlers.lifecycle.machine import CANCEL, CREATED, FINISH, START, LifecycleEvent, Status
from handlers.lifecycle.models import EventShown, Shown, ShownUuid, StatusName
from handlers.lifecycle.wire import render_event
from handlers.model_schemas import schema_of

PUBLISHER = "system-lifecycle"
SCHEMA = 1
CAUSE = "api"
CHANNEL_PREFIX = "lifecycle-team-"


class Told(Shown):
    """`data` of each event."""

    schema_number: Annotated[Literal[1], Field(alias="schema", description="Of which form this is.")]
    subject: Annotated[ShownUuid, Field(description="The id of the event.")]
    version: Annotated[int, Field(ge=1, description="1 at Create, one higher with every change.")]
    occurred_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    status: StatusName
    previous_status: StatusName | None
    cause: Literal["api"]
    event: EventShown


TYPES = (CREATED, START.told_as, FINISH.told_as, CANCEL.told_as)


def channel_of(tenant: str) -> str:
    """The id of the channel that tells of a tenant's events."""
    return f"{CHANNEL_PREFIX}{tenant}"


def team_of(tenant: str) -> NewChannel:
    """That channel as it is made: private, with the schemas of its types."""
    types = {name: {"schema": schema_of(Told)} for name in TYPES}
    return NewChannel(channel_of(tenant), f"Events of {tenant}", config={"types": types})


def told(channel_id: str, kind: str, event: LifecycleEvent, previous: Status | None) -> Emitted:
    """The channel event of a change."""
    return emit(channel_id, kind, data_of(event, previous), PUBLISHER)


def data_of(event: LifecycleEvent, previous: Status | None) -> dict[str, Any]:
    """Its `data`; `occurred_at` is the time that the change stamped."""
    return {
        "schema": SCHEMA,
        "subject": event.id,
        "version": event.version,
        "occurred_at": render_time(event.latest_ns // 1_000_000),
        "status": event.status.name,
        "previous_status": None if previous is None else previous.name,
        "cause": CAUSE,
        "event": render_event(event),
    }
