"""Watched, Subscription and Window against lists, under any interleaving of publishes, deletes, trims, changes of the
record, lost, doubled and reordered feed messages, slow and failing calls, and readers that come, stop and go.

What must hold: a reader gets exactly the events after its cursor, in order, none lost, none twice, or is closed with a
reason that is true. Nobody is ever left in silence.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from broker.channels import ChannelRecord
from broker.closing import FORBIDDEN, Closed, CloseReason
from broker.counts import HubCounts
from broker.events import Frame
from broker.hub_limits import HubLimits
from broker.ids import Position, parse_ulid
from broker.pages import Types
from broker.pump import Pump
from broker.shared_pages import SharedPages
from broker.storage.channels import Channels
from broker.storage.log import Log
from broker.subscription import Step, Subscription
from broker.sweeper import Sweeper
from broker.watched import Watched
from tests.broker.model_log import RECORD, ModelLog, State
from tests.broker.virtual_loop import VirtualLoop

T = TypeVar("T")

LIMITS = HubLimits(window_events=5, window_bytes=400, page_events=4, max_lag_events=12)
KINDS = (None, b'"a"', b'"b"')

NOW, LATER, LOST, TWICE = "now", "later", "lost", "twice"

indexes = st.integers(0, 50)
fates = st.sampled_from([NOW, NOW, NOW, LATER, LOST, TWICE])
sizes = st.lists(st.sampled_from([0, 10, 500]), min_size=1, max_size=7)


def encode_ids(frames: Sequence[Frame]) -> bytes:
    return b" ".join(frame.id.encode() for frame in frames)


class Pumped:
    """The sink of a reader without a task: what is written must be the next that it may have."""

    def __init__(self, machine: "WatchedMachine") -> None:
        self.machine = machine
        self.is_full = False
        self.reader: Reader
        self.writes = 0

    def write(self, encoded: bytes) -> None:
        assert self.reader.closed is None, "written after the end"
        self.writes += 1
        for text in encoded.split(b" "):
            event = self.machine.model.history[parse_ulid(text.decode()).position]
            self.machine.check_frame(self.reader, event.frame)
            self.reader.got.append(event.frame)

    def end(self, why: Closed | Exception) -> None:
        if not isinstance(why, Closed):
            self.machine.defects.append(why)
            return
        self.reader.closed = why
        self.machine.check_close(self.reader, why)


@dataclass(slots=True)
class Reader:
    """A reader of the test: what it got, and how it ended. One with a pump has a sink."""

    subscription: Subscription
    start: Position
    types: Types | None
    is_stranger: bool
    is_eager: bool
    next: "asyncio.Task[Step] | None" = None
    got: list[Frame] = field(default_factory=list)
    closed: Closed | None = None
    sink: Pumped | None = None
    pump: Pump | None = None

    @property
    def cursor(self) -> Position:
        return parse_ulid(self.subscription.cursor).position


class WatchedMachine(RuleBasedStateMachine):
    """Rules are what the world does. While the engine is slow its answers are rules too, and may come at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.model = ModelLog()
        self.readers: list[Reader] = []
        self.pasts: list[State] = []
        self.defects: list[Exception] = []
        self.is_slow = False
        self.has_lost = self.is_doubtful = False
        channels, log = cast("Channels", self.model), cast("Log", self.model)
        self.watched = Watched(RECORD, channels, log, LIMITS, HubCounts(), Sweeper(), SharedPages())
        self.run(self.begin())

    def run(self, what: Awaitable[T]) -> T:
        async def run_and_let_others() -> T:
            result = await what
            await self.spin()
            return result

        return self.runner.run(run_and_let_others())

    async def begin(self) -> None:
        meta = self.model.state.meta()
        assert meta is not None
        self.watched.start(meta)

    async def spin(self) -> None:
        """Let everything that can go on go on: the engine unless it is slow, and the readers that are eager."""
        for _ in range(8):
            for reader in self.readers:
                self.collect(reader)
                if reader.is_eager:
                    await self.ask(reader)
            for _ in range(6):
                await asyncio.sleep(0)
            if not self.is_slow:
                for call in list(self.model.calls):
                    call.answer()

    def collect(self, reader: Reader) -> None:
        if reader.next is None or not reader.next.done():
            return
        task, reader.next = reader.next, None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            assert isinstance(error, Closed), error
            reader.closed = error
            self.check_close(reader, error)
            return
        self.check_step(reader, task.result())

    def check_step(self, reader: Reader, step: Step) -> None:
        cursor = reader.cursor
        for frame in step.frames:
            assert frame == self.model.history[frame.position].frame
            assert cursor < frame.position <= parse_ulid(step.cursor).position
            cursor = frame.position
            self.check_frame(reader, frame)
        reader.got += step.frames

    def check_frame(self, reader: Reader, frame: Frame) -> None:
        event, record = self.model.history[frame.position], self.model.state.record
        assert reader.types is None or frame.type_json in reader.types
        assert frame.position > (reader.got[-1].position if reader.got else reader.start)
        if reader.is_stranger and record is not None and not record.is_public and not self.has_lost:
            assert event.era < record.version and event.era == 0, "a stranger was shown what is private now"

    def check_close(self, reader: Reader, closed: Closed) -> None:
        state = self.model.state
        match closed.code:
            case 1000:
                assert state.record is None and closed.cursor is None
            case 4403:
                assert reader.is_stranger
            case 4408:
                behind = [place for place in self.model.history if place > reader.cursor]
                assert len(behind) > LIMITS.max_lag_events or self.has_lost
            case 4410:
                assert closed.cursor is not None
                assert reader.cursor < state.trimmed or self.has_lost
            case _:
                raise AssertionError(closed.code)

    @rule(sizes=sizes, kind=st.sampled_from(KINDS), is_whole=st.booleans(), fate=fates)
    def append(self, sizes: list[int], kind: bytes | None, is_whole: bool, fate: str) -> None:
        self.model.append(sizes, kind, is_told_whole=is_whole)
        self.send(fate)

    @rule(index=indexes, fate=fates)
    def delete_event(self, index: int, fate: str) -> None:
        self.model.delete_event(index)
        self.send(fate)

    @rule(count=st.integers(0, 4), fate=fates)
    def trim(self, count: int, fate: str) -> None:
        self.model.trim(count)
        self.send(fate)

    @rule(is_public=st.booleans(), fate=fates)
    def change(self, is_public: bool, fate: str) -> None:
        self.model.change(is_public=is_public)
        self.send(fate)

    def send(self, fate: str) -> None:
        """The message of what was just done, if any, arrives, waits, is lost, or arrives and will come again."""
        if self.model.messages and fate != LATER:
            message = self.model.messages.pop()
            if fate != LOST:
                self.run(self.hear(message))
            if fate == TWICE:
                self.model.messages.append(message)

    @rule(is_slow=st.booleans())
    def slow_down(self, is_slow: bool) -> None:
        self.is_slow = is_slow
        self.run(asyncio.sleep(0))

    @precondition(lambda self: self.model.messages)
    @rule(index=indexes)
    def deliver(self, index: int) -> None:
        """A message that waited arrives, in its turn or not."""
        self.run(self.hear(self.model.messages.pop(index % len(self.model.messages))))

    async def hear(self, message: Any) -> None:
        self.watched.hear(message)

    @precondition(lambda self: self.model.calls)
    @rule(index=indexes)
    def execute(self, index: int) -> None:
        self.model.calls[index % len(self.model.calls)].execute()

    @precondition(lambda self: self.model.calls)
    @rule(index=indexes)
    def answer(self, index: int) -> None:
        self.run(self.settle(index, "answer"))

    @precondition(lambda self: self.model.calls)
    @rule(index=indexes)
    def fail(self, index: int) -> None:
        self.run(self.settle(index, "fail"))

    async def settle(self, index: int, how: str) -> None:
        call = self.model.calls[index % len(self.model.calls)]
        call.answer() if how == "answer" else call.fail()

    @rule()
    def wait(self) -> None:
        """Time for what is to be tried again."""
        self.run(asyncio.sleep(0.3))

    @rule()
    def check(self) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        self.watched.compare(self.model.state.meta(), self.watched.mark)

    @precondition(lambda self: len(self.readers) < 8)
    @rule(
        back=st.none() | st.integers(0, 15),
        types=st.none() | st.sets(st.sampled_from([b'"a"', b'"b"']), min_size=1).map(frozenset),
        is_stranger=st.booleans(),
        is_eager=st.booleans(),
        is_pumped=st.booleans(),
    )
    def subscribe(
        self, back: int | None, types: Types | None, is_stranger: bool, is_eager: bool, is_pumped: bool = False
    ) -> None:
        """From the tip, or from the cursor of an event not long ago, as far as the door would let it through."""
        record, state = self.model.state.record, self.model.state
        if record is None or self.watched.ended is not None or (is_stranger and not record.is_public):
            return
        places = [RECORD.start, *sorted(self.model.history)]
        start = self.watched.window.top if back is None else places[max(0, len(places) - 1 - back)]
        if back is not None and not state.trimmed <= start <= state.top:
            return
        self.run(self.add(record, start, types, is_stranger, is_eager, is_pumped))

    async def add(
        self,
        record: ChannelRecord,
        start: Position,
        types: Types | None,
        is_stranger: bool,
        is_eager: bool,
        is_pumped: bool = False,
    ) -> None:
        def judge(changed: ChannelRecord) -> CloseReason | None:
            return FORBIDDEN if is_stranger and not changed.is_public else None

        subscription = self.watched.add(record, start, types, judge)
        reader = Reader(subscription, start, types, is_stranger, is_eager)
        self.readers.append(reader)
        if is_pumped:
            sink = reader.sink = Pumped(self)
            sink.reader = reader
            reader.pump = Pump(subscription, encode_ids, sink)
            sink.is_full = not is_eager
            reader.pump.start()

    @precondition(lambda self: any(reader.sink for reader in self.readers))
    @rule(index=indexes, is_full=st.booleans())
    def fill(self, index: int, is_full: bool) -> None:
        """A peer stops taking, or takes again."""
        pumped = [reader for reader in self.readers if reader.sink is not None]
        self.run(self.turn(pumped[index % len(pumped)], is_full))

    async def turn(self, reader: Reader, is_full: bool) -> None:
        assert reader.sink is not None and reader.pump is not None
        reader.sink.is_full = is_full
        reader.pump.pause() if is_full else reader.pump.go()

    @precondition(lambda self: self.readers)
    @rule(index=indexes)
    def read(self, index: int) -> None:
        """A reader asks for more; one that does not for a while is a slow one."""
        self.run(self.ask(self.readers[index % len(self.readers)]))

    async def ask(self, reader: Reader) -> None:
        if reader.next is None and reader.closed is None and reader.pump is None:
            reader.next = asyncio.create_task(reader.subscription.next())

    @precondition(lambda self: self.readers)
    @rule(index=indexes)
    def stop_asking(self, index: int) -> None:
        """As a door does whose wait is over: nothing may be lost by it."""
        reader = self.readers[index % len(self.readers)]
        if reader.next is not None:
            reader.next.cancel()
            self.run(asyncio.sleep(0))

    @precondition(lambda self: self.readers)
    @rule(index=indexes)
    def unsubscribe(self, index: int) -> None:
        reader = self.readers.pop(index % len(self.readers))
        if reader.next is not None:
            reader.next.cancel()
        if reader.pump is not None:
            reader.pump.stop()
        self.watched.remove(reader.subscription)
        self.run(asyncio.sleep(0))

    @rule()
    def remember(self) -> None:
        self.pasts.append(self.model.snapshot())

    @precondition(lambda self: self.pasts)
    @rule()
    def lose(self) -> None:
        """The engine goes back to an earlier state, as by a fail-over or a power cut; its connections break."""
        self.model.state = self.pasts.pop()
        self.model.messages.clear()
        self.pasts.clear()
        self.has_lost = self.is_doubtful = True
        self.run(self.cut())

    async def cut(self) -> None:
        for call in list(self.model.calls):
            call.fail()

    @precondition(lambda self: self.is_doubtful)
    @rule()
    def reconnect(self) -> None:
        """The feed is connected to what is another engine now."""
        self.is_doubtful = False
        self.run(self.doubt())

    async def doubt(self) -> None:
        self.watched.doubt()

    @invariant()
    def nobody_missed_anything(self) -> None:
        assert not self.defects
        for reader in self.readers:
            seen = [frame.position for frame in reader.got]
            assert seen == sorted(set(seen))
            missed = {
                event.position
                for event in self.model.state.events
                if reader.start < event.position <= reader.cursor
                and (reader.types is None or event.type_json in reader.types)
            } - set(seen)
            assert missed <= self.model.deleted, "an event was skipped"

    @rule()
    def settle_all(self) -> None:
        """In the end everybody who was not told to go is at the tip, though every message be lost from now on."""
        self.model.messages.clear()
        if self.is_doubtful:
            self.reconnect()
        self.run(self.come_to_rest())
        state = self.model.state
        if state.record is None:
            assert all(reader.closed for reader in self.readers)
            return
        assert (self.watched.window.top, self.watched.total) == (state.top, state.count)
        assert not self.model.calls and self.watched._mending is None
        held = self.watched.window.after(self.watched.window.base) or []
        assert self.watched.record == state.record
        assert {frame.position for frame in held} <= {event.position for event in state.events}
        for reader in self.readers:
            if reader.closed is None:
                assert reader.pump is not None or (reader.next is not None and not reader.next.done())
                assert not [event for event in state.events if event.position > reader.cursor], "left in silence"
                assert not (reader.is_stranger and not state.record.is_public)

    async def come_to_rest(self) -> None:
        await self.compare()
        for reader in self.readers:
            if reader.pump is not None:
                await self.turn(reader, is_full=False)
        for _ in range(500):
            await asyncio.sleep(0.3)
            for reader in self.readers:
                await self.ask(reader)
            await self.spin()
            if not self.model.calls and all(map(self.rests, self.readers)):
                return
            for call in list(self.model.calls):
                call.answer()
            await self.spin()
        raise AssertionError("no rest")

    @staticmethod
    def rests(reader: Reader) -> bool:
        return bool(reader.next or reader.pump or reader.closed)

    @precondition(lambda self: len(self.model.history) > 40)
    @rule()
    def delete_channel(self) -> None:
        self.model.delete_channel()

    def teardown(self) -> None:
        self.settle_all()
        self.run(self.end())
        self.runner.close()

    async def end(self) -> None:
        while self.readers:
            reader = self.readers.pop()
            if reader.next is not None:
                reader.next.cancel()
            if reader.pump is not None:
                reader.pump.stop()
        self.watched.end(FORBIDDEN)
        await self.spin()
        assert len(asyncio.all_tasks()) == 1, "a task was left"


WatchedMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWatched = WatchedMachine.TestCase
