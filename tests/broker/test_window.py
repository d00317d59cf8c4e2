"""The window against a list: it answers everything after a position, or says that it cannot."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from broker.events import Frame, frame
from broker.ids import MAX_SEQ, Position
from broker.window import Window

START = Position(10, 0)
MAX_FRAMES = 6
MAX_BYTES = 700

sizes = st.lists(st.integers(0, 300), min_size=1, max_size=8)
places = st.integers(0, 60).map(lambda ms: Position(ms, 0))


def frame_at(position: Position, size: int) -> Frame:
    return frame("000000000", position, None, b"x" * size)


class WindowMachine(RuleBasedStateMachine):
    """`after` is compared with all that was pushed since the last reset, at every position after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(START, max_frames=MAX_FRAMES, max_bytes=MAX_BYTES)
        self.pushed: list[Frame] = []
        self.top = START

    @rule(sizes=sizes)
    def push(self, sizes: list[int]) -> None:
        frames = [frame_at(Position(self.top.ms + 1 + i, 0), size) for i, size in enumerate(sizes)]
        self.window.push(frames)
        self.pushed += frames
        self.top = frames[-1].position

    @rule(by=st.integers(0, 3))
    def advance(self, by: int) -> None:
        self.top = Position(self.top.ms + by, 0)
        self.window.advance(self.top)

    @rule(to=places)
    def advance_to_the_past(self, to: Position) -> None:
        self.window.advance(min(to, self.top))

    @rule(through=places)
    def forget(self, through: Position) -> None:
        self.window.forget(through)
        before = min(through, self.top)
        assert self.window.after(Position(before.ms - 1, MAX_SEQ)) is None or before <= START

    @rule()
    def reset(self) -> None:
        self.window.reset(self.top)
        self.pushed = []

    @rule(back=st.integers(1, 5))
    def reset_to_the_past(self, back: int) -> None:
        self.top = Position(max(0, self.top.ms - back), 0)
        self.window.reset(self.top)
        self.pushed = []

    @invariant()
    def it_answers_all_or_nothing(self) -> None:
        assert self.window.top == self.top >= self.window.base
        for ms in range(self.top.ms + 2):
            position = Position(ms, 0)
            answer = self.window.after(position)
            if answer is not None:
                assert answer == [each for each in self.pushed if each.position > position]
        assert self.window.after(self.window.base) is not None

    @invariant()
    def it_is_bounded(self) -> None:
        held = self.window.after(self.window.base) or []
        assert len(self.window) == len(held) <= MAX_FRAMES
        assert sum(len(each.wire) for each in held) <= MAX_BYTES


TestWindow = WindowMachine.TestCase


@given(sizes)
def test_it_holds_as_many_of_the_newest_frames_as_fit(sizes: list[int]) -> None:
    window = Window(START, max_frames=MAX_FRAMES, max_bytes=MAX_BYTES)
    frames = [frame_at(Position(11 + i, 0), size) for i, size in enumerate(sizes)]
    window.push(frames)
    held = window.after(window.base) or []
    assert held == frames[len(frames) - len(held) :]
    if len(held) < min(len(frames), MAX_FRAMES):
        assert sum(len(each.wire) for each in frames[-len(held) - 1 :]) > MAX_BYTES
