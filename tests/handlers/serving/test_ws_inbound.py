"""From bytes to messages: the same however the bytes come, with the `websockets` client as the one who wrote them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from handlers.serving.refusals import Kind
from handlers.serving.ws_inbound import Fault, Inbound, Message, parse_close

CONTROLS = (Opcode.PING, Opcode.PONG)

messages = st.lists(
    st.one_of(
        st.tuples(st.just(Opcode.TEXT), st.text(max_size=40).map(str.encode), st.integers(1, 4)),
        st.tuples(st.just(Opcode.BINARY), st.binary(max_size=150), st.integers(1, 4)),
        st.tuples(st.sampled_from(CONTROLS), st.binary(max_size=20), st.just(1)),
    ),
    max_size=6,
)


def in_parts(pieces: list[bytes], opcode: Opcode = Opcode.TEXT) -> list[Frame]:
    opcodes = [opcode, *[Opcode.CONT] * (len(pieces) - 1)]
    return [
        Frame(op, piece, fin=i == len(pieces) - 1) for i, (op, piece) in enumerate(zip(opcodes, pieces, strict=True))
    ]


def frames_of(opcode: Opcode, data: bytes, parts: int) -> list[Frame]:
    size = -(-len(data) // parts) or 1
    return in_parts([data[i : i + size] for i in range(0, len(data), size)] or [b""], opcode)


def expected(opcode: Opcode, data: bytes) -> Message:
    return Message(opcode, data, data.decode() if opcode is Opcode.TEXT else None)


@given(messages, st.lists(st.integers(0, 400), max_size=12))
def test_messages_are_read_whole_however_their_bytes_are_cut(
    said: list[tuple[Opcode, bytes, int]], cuts: list[int]
) -> None:
    raw = b"".join(frame.serialize(mask=True) for each in said for frame in frames_of(*each))
    inbound, read = Inbound(200, lambda _: True), []
    for start, end in pairwise([0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]):
        read += list(inbound.feed(raw[start:end]))
    assert read == [expected(opcode, data) for opcode, data, _ in said]
    assert inbound.is_between


@pytest.mark.parametrize("opcode", [*CONTROLS, Opcode.CLOSE])
def test_a_control_frame_is_taken_amid_a_message_however_little_room_that_has_left(opcode: Opcode) -> None:
    control = Frame(opcode, b"\x03\xe8" + b"x" * 123)
    frames = [Frame(Opcode.TEXT, b"a" * 45, fin=False), control, Frame(Opcode.CONT, b"b" * 5)]
    raw = b"".join(frame.serialize(mask=True) for frame in frames)
    read = list(Inbound(50, lambda _: True).feed(raw))
    assert read == [Message(opcode, bytes(control.data)), expected(Opcode.TEXT, b"a" * 45 + b"b" * 5)]


@pytest.mark.parametrize("parts", [[51], [45, 6], [50, 1]])
def test_one_byte_more_than_a_message_may_have_is_a_fault(parts: list[int]) -> None:
    raw = b"".join(frame.serialize(mask=True) for frame in in_parts([b"x" * size for size in parts]))
    with pytest.raises(Fault) as caught:
        list(Inbound(50, lambda _: True).feed(raw))
    assert (caught.value.kind, caught.value.code) == (Kind.FRAME_TOO_LARGE, 1009)


@given(st.binary(max_size=60))
def test_any_bytes_are_messages_or_a_fault_and_nothing_else(raw: bytes) -> None:
    try:
        for message in Inbound(50, lambda _: True).feed(raw):
            assert len(message.data) <= 125
    except Fault as fault:
        assert fault.code in (1002, 1007, 1009)


def test_an_object_in_the_middle_of_something_may_not_be_forgotten() -> None:
    whole = Frame(Opcode.TEXT, b"hello").serialize(mask=True)
    begun = Frame(Opcode.TEXT, b"he", fin=False).serialize(mask=True)
    for raw in (whole[:1], whole[:-1], begun, begun + whole[:3]):
        inbound = Inbound(50, lambda _: True)
        assert list(inbound.feed(raw)) == [] and not inbound.is_between


def test_each_frame_is_asked_for_and_one_too_many_is_a_fault() -> None:
    asked: list[Frame] = []

    def allows(frame: Frame) -> bool:
        asked.append(frame)
        return len(asked) < 3

    raw = b"".join(frame.serialize(mask=True) for frame in frames_of(Opcode.TEXT, b"hello", 5))
    with pytest.raises(Fault) as caught:
        list(Inbound(50, allows).feed(raw))
    assert (caught.value.kind, caught.value.code, len(asked)) == (Kind.FRAME_RATE, 1008, 3)


def test_a_close_without_a_code_is_one_and_a_bad_one_is_a_fault() -> None:
    assert parse_close(b"").code == 1005
    assert (parse_close(b"\x03\xe8bye").code, parse_close(b"\x03\xe8bye").reason) == (1000, "bye")
    for data, code in ((b"\x03", 1002), (b"\x03\xe8\xff", 1007), (b"\x03\xe7", 1002)):
        with pytest.raises(Fault) as caught:
            parse_close(data)
        assert caught.value.code == code
