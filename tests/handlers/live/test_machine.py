"""The table of statuses, by enumeration (contract section 3)."""

from itertools import product

import pytest

from broker.errors import Conflict
from handlers.live.machine import BUSY, TABLE, UPDATABLE, Command, Status, check_idle, check_updatable, led

S, C = Status, Command


@pytest.mark.parametrize("command", Command)
def test_every_pair_leads_where_the_table_says_or_is_refused(command: Command) -> None:
    for status in Status:
        if (status, command) in TABLE:
            assert led(status, command) is TABLE[status, command]
        else:
            with pytest.raises(Conflict, match=f"The event is {status}"):
                led(status, command)


@pytest.mark.parametrize(
    ("command", "allowed"),
    [(C.REHEARSE, {S.READY}), (C.START, {S.READY, S.REHEARSAL}), (C.STOP, {S.LIVE, S.REHEARSAL})],
)
def test_the_calls_have_the_preconditions_of_the_seed(command: Command, allowed: set[Status]) -> None:
    assert {status for status, known in TABLE if known is command} == allowed


def test_no_command_leads_out_of_a_terminal_status_and_none_back_to_ready_but_the_plan() -> None:
    assert not {status for status, _ in TABLE} & {S.ENDED, S.FAILED, S.CANCELLED}
    assert {known for (_, known), after in TABLE.items() if after is S.READY} == {C.READY}
    assert TABLE[S.REHEARSAL, C.STOP] is S.ENDING


def test_changes_and_deletes_are_refused_where_the_seed_says() -> None:
    for status, (check, allowed) in product(
        Status,
        (
            (check_updatable, {S.DRAFT, S.SCHEDULED, S.READY}),
            (lambda each: check_idle(each, "go"), set(Status) - {S.LIVE, S.ENDING, S.PROCESSING}),
        ),
    ):
        if status in allowed:
            check(status)
        else:
            with pytest.raises(Conflict) as refused:
                check(status)
            assert refused.value.extra == {"code": "WRONG_STATE"}
    assert not UPDATABLE & BUSY
