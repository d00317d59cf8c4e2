"""A watched channel and its log: what messages bring, lose and repeat, what is deleted, and what the mending reads.

The interleavings that matter most, one by one, on the world of `test_watched`: what chance finds rarely.
"""

import pytest

from tests.broker.watched_world import LATER, LOST, NOW, TWICE, World


def test_events_reach_a_reader_at_the_tip_without_a_read_of_the_log(world: World) -> None:
    reader = world.reader()
    world.slow()
    world.publish()
    world.publish(0, 0)
    assert len(reader.got) == 3 and not world.model.calls


def test_a_lost_message_is_made_good_by_the_next_one(world: World) -> None:
    reader = world.reader()
    world.publish(fate=LOST)
    assert reader.got == []
    world.publish()
    assert len(reader.got) == 2


def test_a_lost_last_message_is_found_by_the_check(world: World) -> None:
    reader = world.reader()
    world.publish(fate=LOST)
    world.check()
    assert len(reader.got) == 1


def test_a_message_that_comes_twice_or_late_changes_nothing(world: World) -> None:
    reader = world.reader()
    world.publish(fate=TWICE)
    world.publish(fate=LATER)
    world.publish()
    while world.model.messages:
        world.deliver(index=0)
    assert len(reader.got) == 3


def test_a_message_with_positions_only_is_read_from_the_log(world: World) -> None:
    reader = world.reader()
    world.publish(0, 0, is_whole=False)
    assert len(reader.got) == 2


def test_a_deleted_event_is_not_given_to_a_reader_behind(world: World) -> None:
    reader = world.reader(is_eager=False)
    world.publish(0, 0, 0)
    world.delete_event(index=1, fate=NOW)
    world.read(index=0)
    assert len(reader.got) == 2


@pytest.mark.parametrize("then", ["trim", "change", "delete"])
def test_a_delete_hidden_behind_another_lost_message_is_noticed(world: World, then: str) -> None:
    world.publish(0)
    world.publish(0, 0, 0)
    reader = world.reader(back=2, is_eager=False)
    world.delete_event(index=2, fate=LOST)
    match then:
        case "trim":
            world.trim(count=0, fate=NOW)
        case "change":
            world.change(is_public=True, fate=NOW)
        case _:
            world.delete_event(index=0, fate=NOW)
    world.read(index=0)
    world.read(index=0)
    assert {frame.position for frame in reader.got} <= {event.position for event in world.model.state.events}


def test_a_page_read_before_a_delete_and_answered_after_it_brings_nothing_back(world: World) -> None:
    reader = world.reader(is_eager=False)
    world.slow()
    world.publish(0, 0, fate=LOST)
    world.check()
    world.execute(index=0)
    world.delete_event(index=0, fate=NOW)
    world.slow(False)
    world.read(index=0)
    assert len(reader.got) == 1


def test_mending_is_tried_again_until_the_engine_answers(world: World) -> None:
    reader = world.reader()
    world.slow()
    world.publish(fate=LOST)
    world.check()
    for _ in range(5):
        world.fail(index=0)
        assert not world.model.calls
        world.wait()
        assert len(world.model.calls) == 1
    world.slow(False)
    assert len(reader.got) == 1


def test_a_channel_found_gone_by_the_mending_closes_its_readers(world: World) -> None:
    world.reader()
    world.slow()
    world.publish(fate=LOST)
    world.check()
    world.model.state.record = None
    world.slow(False)
    assert world.codes == [1000]


def test_a_deleted_channel_closes_those_that_wait_read_and_come(world: World) -> None:
    world.publish(*[500] * 3)
    world.slow()
    world.reader()
    world.reader(back=2)
    record = world.model.state.record
    assert record is not None
    world.delete_channel()
    world.deliver(index=0)
    world.run(world.add(record, world.watched.window.top, None, False, True))
    world.slow(False)
    assert world.codes == [1000, 1000, 1000]


def test_a_crowd_that_finds_the_record_old_is_judged_once(world: World) -> None:
    judged = 0
    world.publish(*[500] * 3)
    world.slow()
    for _ in range(8):
        world.reader(back=2, is_stranger=True)

    def counting(_: object) -> None:
        nonlocal judged
        judged += 1

    for reader in world.watched.readers:
        world.watched.readers.add(reader, counting)
    world.change(is_public=True, fate=LOST)
    world.slow(False)
    assert judged == 8
