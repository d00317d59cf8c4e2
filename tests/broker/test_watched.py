"""Watched, Subscription and Window against lists, under any interleaving of what the world does (`watched_world`).

What must hold: a reader gets exactly the events after its cursor, in order, none lost, none twice, or is closed with a
reason that is true. Nobody is ever left in silence.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from broker.pages import Types
from tests.broker.watched_world import LATER, LOST, NOW, TWICE, World

indexes = st.integers(0, 50)
fates = st.sampled_from([NOW, NOW, NOW, LATER, LOST, TWICE])
sizes = st.lists(st.sampled_from([0, 10, 500]), min_size=1, max_size=7)
kinds = st.sampled_from([None, b'"a"', b'"b"'])
filters = st.none() | st.sets(st.sampled_from([b'"a"', b'"b"']), min_size=1).map(frozenset)


class WatchedMachine(RuleBasedStateMachine):
    """Rules are what the world does. While the engine is slow its answers are rules too, and may come at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(sizes=sizes, kind=kinds, is_whole=st.booleans(), fate=fates)
    def append(self, sizes: list[int], kind: bytes | None, is_whole: bool, fate: str) -> None:
        self.world.publish(*sizes, kind=kind, is_whole=is_whole, fate=fate)

    @rule(index=indexes, fate=fates)
    def delete_event(self, index: int, fate: str) -> None:
        self.world.delete_event(index, fate)

    @rule(count=st.integers(0, 4), fate=fates)
    def trim(self, count: int, fate: str) -> None:
        self.world.trim(count, fate)

    @rule(is_public=st.booleans(), fate=fates)
    def change(self, is_public: bool, fate: str) -> None:
        self.world.change(is_public=is_public, fate=fate)

    @rule(is_slow=st.booleans())
    def slow_down(self, is_slow: bool) -> None:
        self.world.slow(is_slow)

    @precondition(lambda self: self.world.model.messages)
    @rule(index=indexes)
    def deliver(self, index: int) -> None:
        self.world.deliver(index)

    @precondition(lambda self: self.world.model.calls)
    @rule(index=indexes)
    def execute(self, index: int) -> None:
        self.world.execute(index)

    @precondition(lambda self: self.world.model.calls)
    @rule(index=indexes)
    def answer(self, index: int) -> None:
        self.world.answer(index)

    @precondition(lambda self: self.world.model.calls)
    @rule(index=indexes)
    def fail(self, index: int) -> None:
        self.world.fail(index)

    @rule()
    def wait(self) -> None:
        self.world.wait()

    @rule()
    def check(self) -> None:
        self.world.check()

    @precondition(lambda self: len(self.world.readers) < 8)
    @rule(
        back=st.none() | st.integers(0, 15),
        types=filters,
        is_stranger=st.booleans(),
        is_eager=st.booleans(),
        is_pumped=st.booleans(),
    )
    def subscribe(
        self, back: int | None, types: Types | None, is_stranger: bool, is_eager: bool, is_pumped: bool
    ) -> None:
        self.world.subscribe(back, types, is_stranger, is_eager, is_pumped)

    @precondition(lambda self: any(reader.sink for reader in self.world.readers))
    @rule(index=indexes, is_full=st.booleans())
    def fill(self, index: int, is_full: bool) -> None:
        self.world.fill(index, is_full)

    @precondition(lambda self: self.world.readers)
    @rule(index=indexes)
    def read(self, index: int) -> None:
        self.world.read(index)

    @precondition(lambda self: self.world.readers)
    @rule(index=indexes)
    def stop_asking(self, index: int) -> None:
        self.world.stop_asking(index)

    @precondition(lambda self: self.world.readers)
    @rule(index=indexes)
    def unsubscribe(self, index: int) -> None:
        self.world.unsubscribe(index)

    @rule()
    def remember(self) -> None:
        self.world.remember()

    @precondition(lambda self: self.world.pasts)
    @rule()
    def lose(self) -> None:
        self.world.lose()

    @precondition(lambda self: self.world.is_doubtful)
    @rule()
    def reconnect(self) -> None:
        self.world.reconnect()

    @rule()
    def settle_all(self) -> None:
        self.world.settle_all()

    @precondition(lambda self: len(self.world.model.history) > 40)
    @rule()
    def delete_channel(self) -> None:
        self.world.delete_channel()

    @invariant()
    def nobody_missed_anything(self) -> None:
        self.world.crowd.check()

    def teardown(self) -> None:
        self.world.over()


WatchedMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWatched = WatchedMachine.TestCase
