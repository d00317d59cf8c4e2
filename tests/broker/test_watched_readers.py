"""A watched channel and its readers: who is let go on, what is a gap, and who lags."""

import asyncio

from broker.ids import parse_ulid
from tests.broker.watched_readers import LIMITS
from tests.broker.watched_world import LATER, LOST, NOW, World


def test_an_event_after_a_lost_change_waits_for_the_judgement(world: World) -> None:
    stranger = world.reader(is_stranger=True)
    world.change(is_public=False, fate=LOST)
    world.publish()
    assert world.codes == [4403] and stranger.got == []


def test_a_reader_let_in_by_an_old_record_is_judged_by_the_present_one(world: World) -> None:
    old = world.model.state.record
    world.change(is_public=False, fate=NOW)
    assert old is not None
    world.run(world.add(old, world.watched.window.top, None, True, True))
    assert world.codes == [4403]


def test_a_reader_let_in_by_a_newer_record_brings_it_to_the_others(world: World) -> None:
    world.reader(is_stranger=True)
    world.change(is_public=False, fate=LOST)
    world.reader()
    assert world.codes == [4403, None]


def test_a_reader_closed_while_it_reads_the_log_gets_nothing_of_it(world: World) -> None:
    world.publish(500, 500, 500)
    world.slow()
    stranger = world.reader(back=2, is_stranger=True)
    world.execute(index=0)
    world.change(is_public=False, fate=LOST)
    world.check()
    world.answer(index=1)
    assert world.codes == [None] and len(world.model.calls) == 1
    world.slow(False)
    assert world.codes == [4403] and stranger.got == []


def test_a_trim_of_what_was_not_seen_here_is_told_as_a_gap(world: World) -> None:
    reader = world.reader()
    world.publish(0, 0, 0, fate=LOST)
    world.trim(count=1, fate=LOST)
    world.check()
    assert world.codes == [4410] and reader.got == []


def test_a_trim_of_what_was_seen_and_not_taken_is_told_as_a_gap_with_the_place_to_go_on_from(world: World) -> None:
    reader = world.reader(is_eager=False)
    world.publish(0, 0, 0)
    world.trim(count=1, fate=NOW)
    world.read(index=0)
    assert reader.closed is not None and reader.closed.cursor is not None
    assert (reader.closed.code, parse_ulid(reader.closed.cursor).position) == (4410, world.model.state.trimmed)


def test_a_trim_behind_all_readers_disturbs_nobody(world: World) -> None:
    world.publish(0, 0, 0)
    reader = world.reader(back=0, is_eager=False)
    world.publish(0, 0)
    world.slow()
    world.trim(count=2, fate=NOW)
    world.read(index=0)
    assert len(reader.got) == 2 and not world.model.calls


def test_a_reader_ahead_of_what_was_heard_here_waits_for_the_rest(world: World) -> None:
    """Its cursor comes from a process whose messages are faster."""
    world.publish(0, 0, fate=LATER)
    reader = world.reader(back=0)
    assert reader.next is not None and not reader.next.done() and reader.got == []
    world.publish(fate=LATER)
    world.deliver(index=0)
    world.deliver(index=0)
    assert len(reader.got) == 1


def test_a_reader_ahead_of_this_process_is_not_taken_for_a_lagging_one(world: World) -> None:
    for _ in range(4):
        world.publish(*[0] * LIMITS.max_lag_events, fate=LATER)
    world.reader(back=0)
    world.check()
    world.publish()
    assert world.codes == [None]


def test_a_reader_ahead_of_this_process_is_not_lagging_when_it_catches_up_at_once(world: World) -> None:
    """The mending ends and a message arrives before the reader has its turn."""
    world.publish(*[0] * (LIMITS.max_lag_events + 3), fate=LATER)
    reader = world.reader(back=0)
    world.slow()
    world.check()
    world.publish(fate=LATER)

    async def answer_and_hear() -> None:
        world.model.calls[0].answer()
        asyncio.get_running_loop().call_soon(world.watched.hear, world.model.messages.pop())

    world.model.calls[0].execute()
    world.run(answer_and_hear())
    world.slow(False)
    assert world.codes == [None] and len(reader.got) == 1


def test_a_reader_too_far_behind_is_closed_with_the_cursor_to_go_on_from(world: World) -> None:
    reader = world.reader(is_eager=False)
    world.read(index=0)
    world.publish()
    for _ in range(3):
        world.publish(*[0] * 5)
    world.read(index=0)
    assert reader.closed is not None and reader.closed.code == 4408
    assert reader.closed.cursor == reader.subscription.cursor


def test_a_reader_that_starts_far_behind_may_take_its_time(world: World) -> None:
    for _ in range(8):
        world.publish(*[0] * 5)
    reader = world.reader(back=40)
    world.settle_all()
    assert world.codes == [None] and len(reader.got) == 40


def test_a_reader_of_the_log_is_given_another_try_too(world: World) -> None:
    world.publish(*[500] * 3)
    world.slow()
    reader = world.reader(back=2)
    world.fail(index=0)
    world.wait()
    world.slow(False)
    assert len(reader.got) == 2
