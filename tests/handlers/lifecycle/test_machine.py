"""The machine of a lifecycle event: the contract's table, and its invariants under any sequence of commands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.errors import Conflict
from handlers.lifecycle.machine import (
    TABLE,
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

PLAN = Plan(ID, Kind.KindIndependent, Schedule.ScheduleUnplanned, Orientation.BroadcastOrientationVertical, {})
T = 1_757_669_000_000_000_123
PENDING, STARTED, FINISHED, CANCELED = Status
START, FINISH, CANCEL = Command
CONTRACT: dict[Status, dict[Command, Status | None]] = {
    PENDING: {START: STARTED, FINISH: None, CANCEL: CANCELED},
    STARTED: {START: STARTED, FINISH: FINISHED, CANCEL: CANCELED},
    FINISHED: {START: None, FINISH: FINISHED, CANCEL: None},
    CANCELED: {START: None, FINISH: None, CANCEL: CANCELED},
}
"""The contract's section 4 once more, so that a slip in the table shows."""


def new(now_ns: int = T) -> LifecycleEvent:
    return created(PLAN, "chat", "room", now_ns)


def after(*commands: Command) -> LifecycleEvent:
    event = new()
    for step, command in enumerate(commands, 1):
        event = moved(event, command, T + step)
    return event


EXAMPLES = {PENDING: after(), STARTED: after(START), FINISHED: after(START, FINISH), CANCELED: after(CANCEL)}


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("status", Status)
def test_the_table_is_the_contracts(status: Status, command: Command) -> None:
    expected = CONTRACT[status][command]
    event = EXAMPLES[status]
    assert event.status is status
    if expected is None:
        assert (status, command) not in TABLE
        with pytest.raises(Conflict) as refused:
            moved(event, command, T + 9)
        assert refused.value.extra == {"code": "failed_precondition"}
        assert command in refused.value.message and status.name in refused.value.message
    else:
        assert moved(event, command, T + 9).status is expected


@pytest.mark.parametrize("command", Command)
def test_repeating_the_command_that_led_here_is_no_change_at_all(command: Command) -> None:
    event = {START: after(START), FINISH: after(START, FINISH), CANCEL: after(START, CANCEL)}[command]
    assert moved(event, command, T + 1_000) is event


def test_a_new_event_is_pending_with_no_time_but_its_creation() -> None:
    event = new()
    assert (event.status, event.create_time_ns, event.version) == (PENDING, T, 1)
    assert event.start_time_ns == event.finish_time_ns == event.cancel_time_ns == 0


def test_canceling_a_started_event_keeps_its_start_time() -> None:
    event = after(START, CANCEL)
    assert (event.start_time_ns, event.finish_time_ns, event.cancel_time_ns) == (T + 1, 0, T + 2)


def test_canceling_a_pending_event_leaves_its_start_time_unset() -> None:
    assert after(CANCEL).start_time_ns == 0


def test_start_time_is_that_of_the_first_successful_start() -> None:
    assert after(START, START, FINISH).start_time_ns == T + 1


@pytest.mark.parametrize(("name", "number"), [("StatusPending", 1), ("StatusCanceled", 4)])
def test_names_and_numbers_are_the_seeds(name: str, number: int) -> None:
    assert Status[name] == number


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(Command), st.integers(-(10**12), 10**12)), max_size=8), st.integers(T, T + 10**9)
)
def test_the_invariants_hold_under_any_commands_and_any_clock(steps: list[tuple[Command, int]], begun_ns: int) -> None:
    """Also under a clock that steps back, and one that stands still."""
    event, now_ns, versions = new(begun_ns), begun_ns, 1
    for command, step in steps:
        now_ns += step
        try:
            changed = moved(event, command, now_ns)
        except Conflict:
            assert CONTRACT[event.status][command] is None
            continue
        if changed is not event:
            versions += 1
            assert not event.status.is_terminal, "never out of a terminal status"
            assert changed.latest_ns >= event.latest_ns
        event = changed
        check(event)
        assert event.version == versions
        assert event.create_time_ns == begun_ns and event.plan is PLAN


def check(event: LifecycleEvent) -> None:
    """The invariants of the contract's section 3."""
    made, start, finish, cancel = (
        event.create_time_ns,
        event.start_time_ns,
        event.finish_time_ns,
        event.cancel_time_ns,
    )
    match event.status:
        case Status.StatusPending:
            assert start == finish == cancel == 0
        case Status.StatusStarted:
            assert start > 0 and finish == cancel == 0
        case Status.StatusFinished:
            assert 0 < start <= finish and cancel == 0
        case Status.StatusCanceled:
            assert cancel > 0 and finish == 0 and start <= cancel
    assert start == 0 or made <= start
