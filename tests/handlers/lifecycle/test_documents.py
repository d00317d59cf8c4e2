"""A lifecycle event as a document: kept exactly, indexed while it is open, ended a year after its end."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.change import Entry
from broker.channels import DAY_MS
from handlers.lifecycle.documents import KEPT_DAYS, key_of, open_index, parse_stored, put_of, render_stored
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
from tests.handlers.lifecycle.calls import ID
from tests.json_values import same, values

TIMES = st.integers(10**17, (1 << 63) - 1)
PLANS = st.builds(
    Plan,
    id=st.just(ID),
    kind=st.sampled_from(Kind),
    schedule=st.sampled_from(Schedule),
    orientation=st.sampled_from(Orientation),
    metadata=st.dictionaries(st.text(max_size=5), values, max_size=3),
    planned_start_time_ns=TIMES,
    planned_finish_time_ns=TIMES,
)
EVENTS = st.builds(
    LifecycleEvent,
    plan=PLANS,
    chat_id=st.just("chat"),
    room_id=st.just("room"),
    create_time_ns=TIMES,
    status=st.sampled_from(Status),
    start_time_ns=TIMES,
    finish_time_ns=TIMES,
    cancel_time_ns=TIMES,
    version=st.integers(1, 4),
)


@settings(deadline=None)
@given(EVENTS)
def test_a_document_says_exactly_what_was_kept(event: LifecycleEvent) -> None:
    again = parse_stored(render_stored(event))
    assert again == event
    assert same(dict(again.plan.metadata), dict(event.plan.metadata))
    assert type(again.status) is Status and type(again.plan.kind) is Kind
    assert render_stored(again) == render_stored(event)


@pytest.mark.parametrize("time_ns", [1_757_669_000_000_000_001, 1_757_669_000_000_000_255, (1 << 63) - 1])
def test_nanoseconds_that_no_double_can_hold_are_kept(time_ns: int) -> None:
    assert int(float(time_ns)) != time_ns
    event = created(_plan(), "chat", "room", time_ns)
    assert parse_stored(render_stored(event)).create_time_ns == time_ns


def test_an_open_event_is_indexed_and_has_no_end() -> None:
    event = created(_plan(), "chat", "room", 1_757_669_000_123_456_789)
    put = put_of("acme", event, 0)
    assert put.expires_ms is None
    assert put.entries == (Entry(open_index("acme"), 1_757_669_000_123, key_of("acme", ID).id),)


@pytest.mark.parametrize("commands", [(Command.CANCEL,), (Command.START, Command.FINISH)])
def test_an_ended_event_leaves_the_index_and_is_kept_for_a_year_from_then(commands: tuple[Command, ...]) -> None:
    event = created(_plan(), "chat", "room", 1_757_669_000_000_000_000)
    for command in commands:
        event = moved(event, command, 1_757_670_000_000_000_000)
    put = put_of("acme", event, 7)
    assert put.entries == () and put.expected == 7
    assert put.expires_ms == 1_757_670_000_000 + KEPT_DAYS * DAY_MS


def test_the_same_id_of_two_tenants_is_two_documents() -> None:
    assert key_of("acme", ID) != key_of("rival", ID)


def _plan(**metadata: Any) -> Plan:
    return Plan(
        ID, Kind.KindIndependent, Schedule.ScheduleUnplanned, Orientation.BroadcastOrientationHorizontal, metadata
    )
