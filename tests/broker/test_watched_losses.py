"""A watched channel and an engine that lost what it had said: who saw more is told so, and nobody is led on by it."""

import pytest

from tests.broker.watched_world import LOST, NOW, World


def test_a_cursor_beyond_the_end_of_the_log_is_a_gap(world: World) -> None:
    world.publish(0, 0)
    lost = world.model.state.top
    world.model.state.events.pop()
    world.model.state.top = world.model.state.events[-1].position
    world.crowd.has_lost = True
    record = world.model.state.record
    assert record is not None
    world.run(world.begin())
    world.run(world.add(record, lost, None, False, True))
    assert world.codes == [4410]


def test_an_engine_that_lost_events_tells_those_who_saw_them(world: World) -> None:
    world.publish(0, 0)
    behind = world.reader(back=2, is_eager=False)
    world.remember()
    world.reader()
    world.publish(0, 0)
    world.lose()
    world.reconnect()
    world.check()
    assert world.codes == [None, 4410]
    world.publish()
    world.read(index=0)
    world.read(index=0)
    assert len(behind.got) == 3


@pytest.mark.parametrize("is_eager", [True, False])
def test_a_reader_that_was_led_past_the_end_by_the_log_itself_is_told_so(world: World, is_eager: bool) -> None:
    world.publish(500, 500)
    world.remember()
    world.publish(500)
    reader = world.reader(back=3, is_eager=is_eager)
    for _ in range(3):
        world.read(index=0)
    assert len(reader.got) == 3
    world.lose()
    world.reconnect()
    world.check()
    world.publish()
    world.read(index=0)
    assert world.codes == [4410]


def test_a_record_changed_anew_after_a_loss_is_read_though_its_version_is_known(world: World) -> None:
    world.remember()
    stranger = world.reader(is_stranger=True)
    world.change(is_public=True, fate=NOW)
    world.lose()
    world.change(is_public=False, fate=LOST)
    world.reconnect()
    world.check()
    assert world.codes == [4403] and stranger.got == []


def test_a_loss_that_the_mending_meets_first_is_noticed_too(world: World) -> None:
    world.remember()
    world.reader()
    world.delete_event(index=0, fate=NOW)
    world.publish(0, 0)
    world.slow()
    world.publish(fate=LOST)
    world.check()
    world.fail(index=0)
    world.lose()
    world.wait()
    world.slow(False)
    assert world.codes == [4410]


def test_a_new_log_as_long_as_the_lost_one_is_not_taken_for_it(world: World) -> None:
    """Same revision and a higher top: only that it is another engine tells."""
    world.remember()
    world.publish(0, 0)
    world.delete_event(index=0, fate=NOW)
    reader = world.reader(back=1, is_eager=False)
    world.change(is_public=True, fate=NOW)
    world.lose()
    world.publish(500, 500, 500, fate=LOST)
    world.delete_event(index=0, fate=LOST)
    world.change(is_public=True, fate=LOST)
    world.reconnect()
    world.check()
    world.read(index=0)
    world.read(index=0)
    left = {event.position for event in world.model.state.events}
    assert {frame.position for frame in reader.got} <= left


def test_messages_of_an_engine_in_doubt_wait_for_its_word(world: World) -> None:
    world.publish(0, 0)
    reader = world.reader()
    world.run(world.doubt())
    world.publish()
    assert len(reader.got) == 1 and world.codes == [None]
    assert not world.watched.is_doubted
