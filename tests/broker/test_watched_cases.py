"""The interleavings that matter most, one by one, on the machine of `test_watched`: what chance finds rarely."""

import asyncio
from collections.abc import Iterator

import pytest

from broker.ids import parse_ulid
from tests.broker.test_watched import KINDS, LATER, LIMITS, LOST, NOW, TWICE, Reader, WatchedMachine

PLAIN = KINDS[0]


class World(WatchedMachine):
    """The machine, with shorter words for tests that are written by hand."""

    def reader(
        self,
        *,
        back: int | None = None,
        is_stranger: bool = False,
        is_eager: bool = True,
    ) -> Reader:
        """A new reader, from the tip known here or from so many events back."""
        count = len(self.readers)
        self.subscribe(back=back, types=None, is_stranger=is_stranger, is_eager=is_eager)
        assert len(self.readers) == count + 1, "the door did not let it through"
        return self.readers[-1]

    def publish(self, *sizes: int, fate: str = NOW, is_whole: bool = True, kind: bytes | None = PLAIN) -> None:
        """Publish a batch with data of these sizes."""
        self.append(sizes=list(sizes or (0,)), kind=kind, is_whole=is_whole, fate=fate)

    def slow(self, is_slow: bool = True) -> None:
        """From now on the engine answers when it is told to, or at once."""
        self.slow_down(is_slow=is_slow)


@pytest.fixture
def world() -> Iterator[World]:
    """A watched channel without events; in the end all has to come to rest as it must."""
    machine = World()
    yield machine
    machine.teardown()


def codes(world: World) -> list[int | None]:
    return [reader.closed.code if reader.closed else None for reader in world.readers]


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


def test_an_event_after_a_lost_change_waits_for_the_judgement(world: World) -> None:
    stranger = world.reader(is_stranger=True)
    world.change(is_public=False, fate=LOST)
    world.publish()
    assert codes(world) == [4403] and stranger.got == []


def test_a_reader_let_in_by_an_old_record_is_judged_by_the_present_one(world: World) -> None:
    old = world.model.state.record
    world.change(is_public=False, fate=NOW)
    assert old is not None
    world.run(world.add(old, world.watched.window.top, None, True, True))
    assert codes(world) == [4403]


def test_a_reader_let_in_by_a_newer_record_brings_it_to_the_others(world: World) -> None:
    world.reader(is_stranger=True)
    world.change(is_public=False, fate=LOST)
    world.reader()
    assert codes(world) == [4403, None]


def test_a_reader_closed_while_it_reads_the_log_gets_nothing_of_it(world: World) -> None:
    world.publish(500, 500, 500)
    world.slow()
    stranger = world.reader(back=2, is_stranger=True)
    world.execute(index=0)
    world.change(is_public=False, fate=LOST)
    world.check()
    world.answer(index=1)
    assert codes(world) == [None] and len(world.model.calls) == 1
    world.slow(False)
    assert codes(world) == [4403] and stranger.got == []


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


def test_a_trim_of_what_was_not_seen_here_is_told_as_a_gap(world: World) -> None:
    reader = world.reader()
    world.publish(0, 0, 0, fate=LOST)
    world.trim(count=1, fate=LOST)
    world.check()
    assert codes(world) == [4410] and reader.got == []


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
    assert codes(world) == [None]


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
    assert codes(world) == [None] and len(reader.got) == 1


def test_a_cursor_beyond_the_end_of_the_log_is_a_gap(world: World) -> None:
    world.publish(0, 0)
    lost = world.model.state.top
    world.model.state.events.pop()
    world.model.state.top = world.model.state.events[-1].position
    world.has_lost = True
    record = world.model.state.record
    assert record is not None
    world.run(world.begin())
    world.run(world.add(record, lost, None, False, True))
    assert codes(world) == [4410]


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
    assert codes(world) == [None] and len(reader.got) == 40


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


def test_a_reader_of_the_log_is_given_another_try_too(world: World) -> None:
    world.publish(*[500] * 3)
    world.slow()
    reader = world.reader(back=2)
    world.fail(index=0)
    world.wait()
    world.slow(False)
    assert len(reader.got) == 2


def test_a_channel_found_gone_by_the_mending_closes_its_readers(world: World) -> None:
    world.reader()
    world.slow()
    world.publish(fate=LOST)
    world.check()
    world.model.state.record = None
    world.slow(False)
    assert codes(world) == [1000]


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
    assert codes(world) == [1000, 1000, 1000]


def test_an_engine_that_lost_events_tells_those_who_saw_them(world: World) -> None:
    world.publish(0, 0)
    behind = world.reader(back=2, is_eager=False)
    world.remember()
    world.reader()
    world.publish(0, 0)
    world.lose()
    world.reconnect()
    world.check()
    assert codes(world) == [None, 4410]
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
    assert codes(world) == [4410]


def test_a_record_changed_anew_after_a_loss_is_read_though_its_version_is_known(world: World) -> None:
    world.remember()
    stranger = world.reader(is_stranger=True)
    world.change(is_public=True, fate=NOW)
    world.lose()
    world.change(is_public=False, fate=LOST)
    world.reconnect()
    world.check()
    assert codes(world) == [4403] and stranger.got == []


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
    assert codes(world) == [4410]


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
    assert len(reader.got) == 1 and codes(world) == [None]
    assert not world.watched._is_doubted


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
