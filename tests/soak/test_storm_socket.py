"""Frames are read whole, in whatever pieces they come, and become what the reader was given or told."""

import json

from hypothesis import given
from hypothesis import strategies as st

from soak.history import Event, Reading, Seen
from soak.readers import Reader
from soak.storm_socket import CLOSE, TEXT, Frame, take_frame, taken_frames

START, ONE = "01JD3N6Z00ABCDEFGHJ0000000", "01JD3N6Z00ABCDEFGHJ0000001"


def encoded(frame: Frame) -> bytes:
    """As a server sends it."""
    size = len(frame.payload)
    head = bytes([0x80 | frame.opcode])
    if size < 126:
        return head + bytes([size]) + frame.payload
    return head + (b"\x7e" + size.to_bytes(2) if size < 65_536 else b"\x7f" + size.to_bytes(8)) + frame.payload


sizes = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536])
frames = st.tuples(st.sampled_from([TEXT, CLOSE, 9]), sizes)


@given(st.lists(frames, max_size=5), st.integers(1, 70_000))
def test_frames_come_whole_whatever_the_pieces(asked: list[tuple[int, int]], piece_bytes: int) -> None:
    told = [Frame(opcode, b"x" * size) for opcode, size in asked]
    data, rest, found = b"".join(map(encoded, told)), bytearray(), []
    size = max(piece_bytes, len(data) // 100)
    for begin in range(0, len(data), size):
        rest += data[begin : begin + size]
        found += list(taken_frames(rest))
    assert found == told
    assert not rest


def test_text_is_an_event_and_a_close_has_a_cursor() -> None:
    reader = Reader(Reading("r", "news", START))
    event = {"id": ONE, "data": {"name": "p-1"}}
    assert take_frame(reader, Frame(TEXT, json.dumps(event).encode())) is False
    assert take_frame(reader, Frame(9, b"")) is False
    assert take_frame(reader, Frame(CLOSE, (1012).to_bytes(2) + b"restart; cursor=" + ONE.encode())) is True
    assert [step.event for step in reader.reading.steps if isinstance(step, Seen)] == [Event(ONE, "p-1", None)]
    assert reader.cursor == ONE
