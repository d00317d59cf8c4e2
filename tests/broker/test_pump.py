"""The pump on its own; with everything around it, it is one of the readers of `test_watched`."""

import pytest

from broker.closing import Closed
from broker.pump import Pump
from tests.broker.watched_readers import LIMITS
from tests.broker.watched_world import World


def pumped(world: World) -> Pump:
    world.subscribe(back=None, types=None, is_stranger=False, is_eager=True, is_pumped=True)
    pump = world.readers[-1].pump
    assert pump is not None
    return pump


def test_events_of_one_message_are_one_write_and_no_task(world: World) -> None:
    pumped(world)
    world.publish(0, 0, 0)
    reader = world.readers[-1]
    assert reader.sink is not None
    assert (len(reader.got), reader.sink.writes) == (3, 1)


def test_a_full_sink_is_not_written_to_and_then_gets_all_it_missed(world: World) -> None:
    pumped(world)
    world.fill(index=0, is_full=True)
    for _ in range(LIMITS.window_events + 3):
        world.publish()
    reader = world.readers[-1]
    assert reader.got == []
    world.fill(index=0, is_full=False)
    assert len(reader.got) == LIMITS.window_events + 3


def test_an_end_is_told_though_the_sink_is_full(world: World) -> None:
    world.subscribe(back=None, types=None, is_stranger=True, is_eager=True, is_pumped=True)
    world.fill(index=0, is_full=True)
    world.change(is_public=False, fate="now")
    closed = world.readers[-1].closed
    assert closed is not None and closed.code == 4403


def test_an_end_that_cannot_be_told_keeps_nobody_else_from_theirs(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        world.subscribe(back=None, types=None, is_stranger=True, is_eager=True, is_pumped=True)
    going, staying = world.readers

    assert going.sink is not None
    told = going.sink.end

    def fails(why: Closed | Exception) -> None:
        told(why)
        raise RuntimeError("the handle is closed")

    monkeypatch.setattr(going.sink, "end", fails)
    world.change(is_public=False, fate="now")
    assert staying.closed is not None and staying.closed.code == 4403
    assert "could not be told" in caplog.text


def test_room_that_was_never_missed_changes_nothing(world: World) -> None:
    pump = pumped(world)
    world.publish()
    pump.go()
    world.publish()
    assert len(world.readers[-1].got) == 2
