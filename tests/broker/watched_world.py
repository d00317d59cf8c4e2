"""A watched channel on a model of the engine, and what the world does to it: publishes, deletes, trims, changes of the
record, lost, doubled and reordered feed messages, slow and failing calls, and readers that come, stop and go.

While the engine is slow a test says when it does a call and when it answers.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar, cast

from broker.channels import ChannelRecord
from broker.closing import FORBIDDEN, CloseReason
from broker.counts import HubCounts
from broker.ids import Position
from broker.pages import Types
from broker.pump import Pump
from broker.shared_pages import SharedPages
from broker.storage.channels import Channels
from broker.storage.feed import FeedMessage
from broker.storage.log import Log
from broker.storage.log_checks import Unchanged
from broker.sweeper import Sweeper
from broker.watched import Watched
from tests.broker.model_log import RECORD, ModelLog, State
from tests.broker.virtual_loop import VirtualLoop
from tests.broker.watched_readers import LIMITS, Crowd, Pumped, Reader, encode_ids

T = TypeVar("T")

NOW, LATER, LOST, TWICE = "now", "later", "lost", "twice"
"""What becomes of a message: it arrives, waits, is lost, or arrives and will come again."""


class World:
    """A watched channel without events."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.model = ModelLog()
        self.crowd = Crowd(self.model)
        self.pasts: list[State] = []
        self.is_slow = self.is_doubtful = False
        channels, log = cast("Channels", self.model), cast("Log", self.model)
        self.watched = Watched(RECORD, channels, log, LIMITS, HubCounts(), Sweeper(), SharedPages())
        self.run(self.begin())

    @property
    def readers(self) -> list[Reader]:
        return self.crowd.readers

    @property
    def codes(self) -> list[int | None]:
        """How each reader ended."""
        return [reader.closed.code if reader.closed else None for reader in self.readers]

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
                self.crowd.collect(reader)
                if reader.is_eager:
                    await self.ask(reader)
            for _ in range(6):
                await asyncio.sleep(0)
            if not self.is_slow:
                for call in list(self.model.calls):
                    call.answer()

    def publish(self, *sizes: int, fate: str = NOW, is_whole: bool = True, kind: bytes | None = None) -> None:
        """Publish a batch with data of these sizes."""
        self.model.append(sizes or (0,), kind, is_told_whole=is_whole)
        self.send(fate)

    def delete_event(self, index: int, fate: str) -> None:
        self.model.delete_event(index)
        self.send(fate)

    def trim(self, count: int, fate: str) -> None:
        self.model.trim(count)
        self.send(fate)

    def change(self, *, is_public: bool, fate: str) -> None:
        self.model.change(is_public=is_public)
        self.send(fate)

    def delete_channel(self) -> None:
        self.model.delete_channel()

    def send(self, fate: str) -> None:
        """What becomes of the message of what was just done, if there is one."""
        if self.model.messages and fate != LATER:
            message = self.model.messages.pop()
            if fate != LOST:
                self.run(self.hear(message))
            if fate == TWICE:
                self.model.messages.append(message)

    def deliver(self, index: int) -> None:
        """A message that waited arrives, in its turn or not."""
        self.run(self.hear(self.model.messages.pop(index % len(self.model.messages))))

    async def hear(self, message: FeedMessage | None) -> None:
        self.watched.hear(message)

    def slow(self, is_slow: bool = True) -> None:
        """From now on the engine answers when it is told to, or at once."""
        self.is_slow = is_slow
        self.run(asyncio.sleep(0))

    def execute(self, index: int) -> None:
        self.model.calls[index % len(self.model.calls)].execute()

    def answer(self, index: int) -> None:
        self.run(self.settle(index, "answer"))

    def fail(self, index: int) -> None:
        self.run(self.settle(index, "fail"))

    async def settle(self, index: int, how: str) -> None:
        call = self.model.calls[index % len(self.model.calls)]
        call.answer() if how == "answer" else call.fail()

    def wait(self) -> None:
        """Time for what is to be tried again."""
        self.run(asyncio.sleep(0.3))

    def check(self) -> None:
        """A position check."""
        self.run(self.compare())

    async def compare(self) -> None:
        meta, mark = self.model.state.meta(), self.watched.mark
        is_known = meta is not None and (meta.top, meta.revision) == mark and not self.watched.is_doubted
        self.watched.compare(Unchanged.UNCHANGED if is_known else meta, mark)

    def reader(self, *, back: int | None = None, is_stranger: bool = False, is_eager: bool = True) -> Reader:
        """A new reader, from the tip known here or from so many events back."""
        count = len(self.readers)
        self.subscribe(back=back, types=None, is_stranger=is_stranger, is_eager=is_eager)
        assert len(self.readers) == count + 1, "the door did not let it through"
        return self.readers[-1]

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
            sink = reader.sink = Pumped(self.crowd, reader)
            reader.pump = Pump(subscription, encode_ids, sink)
            sink.is_full = not is_eager
            reader.pump.start()

    def fill(self, index: int, is_full: bool) -> None:
        """A peer with a pump stops taking, or takes again."""
        pumped = [reader for reader in self.readers if reader.sink is not None]
        self.run(self.turn(pumped[index % len(pumped)], is_full))

    async def turn(self, reader: Reader, is_full: bool) -> None:
        assert reader.sink is not None and reader.pump is not None
        reader.sink.is_full = is_full
        reader.pump.pause() if is_full else reader.pump.go()

    def read(self, index: int) -> None:
        """A reader asks for more; one that does not for a while is a slow one."""
        self.run(self.ask(self.readers[index % len(self.readers)]))

    async def ask(self, reader: Reader) -> None:
        if reader.next is None and reader.closed is None and reader.pump is None:
            reader.next = asyncio.create_task(reader.subscription.next())

    def stop_asking(self, index: int) -> None:
        """As a door does whose wait is over: nothing may be lost by it."""
        reader = self.readers[index % len(self.readers)]
        if reader.next is not None:
            reader.next.cancel()
            self.run(asyncio.sleep(0))

    def unsubscribe(self, index: int) -> None:
        reader = self.readers.pop(index % len(self.readers))
        reader.stop()
        self.watched.remove(reader.subscription)
        self.run(asyncio.sleep(0))

    def remember(self) -> None:
        """Keep what the engine holds, to go back to."""
        self.pasts.append(self.model.snapshot())

    def lose(self) -> None:
        """The engine goes back to an earlier state, as by a fail-over or a power cut; its connections break."""
        self.model.state = self.pasts.pop()
        self.model.messages.clear()
        self.pasts.clear()
        self.crowd.has_lost = self.is_doubtful = True
        self.run(self.cut())

    async def cut(self) -> None:
        for call in list(self.model.calls):
            call.fail()

    def reconnect(self) -> None:
        """The feed is connected to what is another engine now."""
        self.is_doubtful = False
        self.run(self.doubt())

    async def doubt(self) -> None:
        self.watched.doubt()

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
            if not self.model.calls and all(reader.next or reader.pump or reader.closed for reader in self.readers):
                return
            for call in list(self.model.calls):
                call.answer()
            await self.spin()
        raise AssertionError("no rest")

    async def end(self) -> None:
        while self.readers:
            self.readers.pop().stop()
        self.watched.end(FORBIDDEN)
        await self.spin()
        assert len(asyncio.all_tasks()) == 1, "a task was left"

    def over(self) -> None:
        """All has come to rest as it must, and nothing is left."""
        self.settle_all()
        self.run(self.end())
        self.runner.close()
