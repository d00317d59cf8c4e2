"""What is told on the channel of a tenant matches the schemas that the channel lists, and fits."""

import json

import jsonschema_rs
import pytest

from broker.change import MAX_EVENT_BYTES
from broker.schemas import compile_types
from broker.strictjson import render_json
from handlers.lifecycle.events import TYPES, data_of, team_of, told
from handlers.lifecycle.machine import (
    Command,
    Kind,
    LifecycleEvent,
    Orientation,
    Plan,
    Schedule,
    Status,
    created,
    moved,
)
from handlers.lifecycle.models import MOST_METADATA_BYTES
from tests.handlers.lifecycle.calls import ID, OTHER

T = 1_757_669_000_123_456_789


def event(*commands: Command, title: str = "Launch AMA") -> LifecycleEvent:
    plan = Plan(
        ID,
        Kind.KindIndependent,
        Schedule.ScheduleUnplanned,
        Orientation.BroadcastOrientationHorizontal,
        {"title": title},
    )
    made = created(plan, OTHER, OTHER, T)
    for command in commands:
        made = moved(made, command, T + 1_000_000_000)
    return made


@pytest.mark.parametrize("kind", TYPES)
def test_the_data_of_every_change_matches_the_schema_of_its_type(kind: str) -> None:
    config = team_of("acme").config
    assert config is not None
    schema = config["types"][kind]["schema"]
    assert "$ref" not in json.dumps(schema)
    validator = jsonschema_rs.Draft202012Validator(schema)
    for previous, each in ((None, event()), (Status.StatusStarted, event(Command.START, Command.FINISH))):
        data = data_of(each, previous)
        validator.validate(data)
        for name in data:
            assert not validator.is_valid({other: value for other, value in data.items() if other != name})


def test_the_data_says_what_changed_when_and_from_what() -> None:
    data = data_of(event(Command.START, Command.CANCEL), Status.StatusStarted)
    own = {name: value for name, value in data.items() if name != "event"}
    assert own == {
        "schema": 1,
        "subject": ID,
        "version": 3,
        "occurred_at": "2025-09-12T09:23:21.123Z",
        "status": "StatusCanceled",
        "previous_status": "StatusStarted",
        "cause": "api",
    }
    assert data["event"]["cancel_time"] == T + 1_000_000_000


def test_the_channel_is_private_and_the_types_could_be_enforced() -> None:
    team = team_of("acme")
    assert (team.id, team.is_public) == ("lifecycle-team-acme", False)
    compile_types({**(team.config or {}), "strict_types": True}, 1 << 20)


def test_the_largest_event_fits_a_channel_event() -> None:
    largest = event(Command.START, title="\x01" * ((MOST_METADATA_BYTES - 12) // 6))
    assert len(told("lifecycle-team-acme", TYPES[1], largest, Status.StatusPending).event.tail) < 65_536
    assert len(render_json(dict(largest.plan.metadata))) > MOST_METADATA_BYTES - 10
    assert MAX_EVENT_BYTES > 65_536
