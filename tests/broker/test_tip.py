"""The tip: what each reader is written, how often, and where it stands when it leaves."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.counts import HubCounts
from broker.events import Frame
from broker.ids import ORIGIN, Position
from broker.sweeper import Sweeper
from broker.tip import AT_ONCE_BYTES, Tip, pieces

A, B = b'"a"', b'"b"'


def event(seq: int, kind: bytes | None = None, size: int = 10) -> Frame:
    return Frame(Position(1, seq), str(seq), kind, b"%d" % seq + b"." * size)


class Scene:
    """A tip with readers that note what they are written; `encoded` are the events of each encoding."""

    def __init__(self) -> None:
        self.counts = HubCounts()
        self.broken: list[str] = []
        self.tip: Tip[str] = Tip(ORIGIN, Sweeper(), self.counts, self.broken.append)
        self.got: dict[str, list[bytes]] = {}
        self.encoded: list[list[str]] = []

    def encode(self, frames: Sequence[Frame]) -> bytes:
        self.encoded.append([frame.id for frame in frames])
        return b" ".join(frame.id.encode() for frame in frames)

    def join(self, name: str, at: int = 0, types: frozenset[bytes] | None = None) -> None:
        self.got[name] = []
        self.tip.join(name, Position(1, at), types, self.encode, self.got[name].append)


async def turn() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_events_of_one_turn_are_one_encoding_and_one_write_for_each_reader() -> None:
    scene = Scene()
    for name in "xyz":
        scene.join(name)
    for seq in (1, 2, 3):
        scene.tip.push([event(seq)])
    assert scene.encoded == [] and scene.tip.waiting == 3
    await turn()
    assert scene.encoded == [["1", "2", "3"]]
    assert scene.got == {name: [b"1 2 3"] for name in "xyz"}
    assert scene.tip.at == Position(1, 3) and scene.counts.delivered == 9


async def test_readers_with_the_same_filter_share_an_encoding_and_others_get_theirs() -> None:
    scene = Scene()
    scene.join("all")
    scene.join("a", types=frozenset([A]))
    scene.join("also a", types=frozenset([A]))
    scene.join("none", types=frozenset([b'"c"']))
    scene.tip.push([event(1, A), event(2, B)])
    await turn()
    assert scene.got == {"all": [b"1 2"], "a": [b"1"], "also a": [b"1"], "none": []}
    assert len(scene.encoded) == 2


async def test_who_joins_gets_nothing_of_what_waited_and_all_that_comes() -> None:
    scene = Scene()
    scene.join("early")
    scene.tip.push([event(1)])
    scene.join("late", at=1)
    assert scene.got == {"early": [b"1"], "late": []}
    scene.tip.push([event(2)])
    await turn()
    assert scene.got == {"early": [b"1", b"2"], "late": [b"2"]}


async def test_who_leaves_stands_behind_what_was_written_and_gets_no_more() -> None:
    scene = Scene()
    scene.join("x")
    scene.join("y")
    scene.tip.push([event(1)])
    assert scene.tip.leave("x") and not scene.tip.leave("x")
    assert scene.tip.at == ORIGIN._replace(ms=1)
    await turn()
    assert scene.got == {"x": [], "y": [b"1"]}


async def test_a_reader_that_is_full_leaves_in_the_sweep_and_the_others_go_on() -> None:
    scene = Scene()

    def write(encoded: bytes) -> None:
        scene.got["full"].append(encoded)
        scene.tip.leave("full")

    scene.join("before")
    scene.got["full"] = []
    scene.tip.join("full", Position(1, 0), None, scene.encode, write)
    scene.join("after")
    scene.tip.push([event(1)])
    await turn()
    scene.tip.push([event(2)])
    await turn()
    assert scene.got == {"before": [b"1", b"2"], "full": [b"1"], "after": [b"1", b"2"]}


async def test_a_write_that_raises_breaks_its_reader_only() -> None:
    scene = Scene()

    def fail(_: bytes) -> None:
        raise RuntimeError("the handler is closed")

    scene.join("before")
    scene.tip.join("gone", Position(1, 0), None, scene.encode, fail)
    scene.join("after")
    scene.tip.push([event(1)])
    await turn()
    assert scene.broken == ["gone"]
    assert scene.got == {"before": [b"1"], "after": [b"1"]}


async def test_one_that_cannot_even_be_told_to_end_costs_the_others_nothing() -> None:
    scene = Scene()

    def fail(_: object) -> None:
        raise RuntimeError("the handler is closed")

    scene.tip = Tip(ORIGIN, Sweeper(), scene.counts, fail)
    scene.join("before")
    scene.tip.join("gone", Position(1, 0), None, scene.encode, fail)
    scene.join("after")
    scene.tip.push([event(1)])
    await turn()
    assert scene.got == {"before": [b"1"], "after": [b"1"]} and scene.tip.at == Position(1, 1)


async def test_events_that_cannot_be_encoded_break_all_readers_where_they_are() -> None:
    scene = Scene()
    scene.join("x")
    scene.tip.push([event(1)])
    await turn()

    def fail(_: Sequence[Frame]) -> bytes:
        raise ZeroDivisionError

    scene.tip.join("y", Position(1, 1), None, fail, scene.got["x"].append)
    scene.tip.push([event(2)])
    await turn()
    assert scene.broken == ["x", "y"] and scene.tip.at == Position(1, 1)
    assert scene.got["x"] == [b"1"]


async def test_clearing_writes_what_waits_and_answers_who_was_there() -> None:
    scene = Scene()
    scene.join("x")
    scene.tip.push([event(1)])
    assert scene.tip.clear() == ["x"] and scene.got == {"x": [b"1"]}
    scene.tip.push([event(2)])
    await turn()
    assert scene.got == {"x": [b"1"]} and scene.tip.waiting == 0


async def test_much_at_once_is_written_in_pieces_so_that_the_full_may_leave() -> None:
    scene = Scene()
    scene.join("x")
    scene.tip.push([event(seq, size=AT_ONCE_BYTES // 2) for seq in range(1, 6)])
    assert [len(write.split()) for write in scene.got["x"]] == [1] * 5


@given(st.lists(st.integers(0, 50)), st.integers(1, 60))
def test_pieces_are_all_of_it_in_order_and_bounded(sizes: list[int], most: int) -> None:
    frames = [event(seq, size=size) for seq, size in enumerate(sizes)]
    parts = list(pieces(frames, most))
    assert [frame for part in parts for frame in part] == frames
    assert all(len(part) == 1 or sum(len(frame.wire) for frame in part) <= most for part in parts)


@pytest.mark.parametrize("readers", [1, 50])
async def test_delivering_makes_no_object_for_each_reader(readers: int) -> None:
    """A guard figure: the sweep is one list of writes, kept until somebody comes or goes."""
    scene = Scene()
    for i in range(readers):
        scene.join(str(i))
    scene.tip.push([event(1)])
    await turn()
    [group] = scene.tip._groups.values()
    writes: list[Callable[[bytes], object]] = group.writes()
    scene.tip.push([event(2)])
    await turn()
    assert group.writes() is writes and len(scene.encoded) == 2
