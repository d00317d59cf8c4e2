"""JSON lines of a pipe: as they come, whole, numbered, and checked."""

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from handlers.terminal.lines import MAX_LINE_BYTES, Line, check_json, good_beginning, lines_at_hand


def read(*chunks: bytes) -> list[list[Line]]:
    """What is read of a pipe into which the chunks are written, one after the other."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as file:
            for chunk in chunks:
                file.write(chunk)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return list(lines_at_hand(reading))
    finally:
        os.close(reading)
        writer.join()


@given(st.lists(st.binary(max_size=6), max_size=12))
def test_however_they_are_cut_the_lines_are_those_of_the_whole(chunks: list[bytes]) -> None:
    lines = [line for lines in read(*chunks) for line in lines]
    whole = b"".join(chunks).split(b"\n")
    assert lines == [Line(i, text) for i, text in enumerate(whole, 1) if text.strip()]


def test_a_line_is_there_before_the_next_one_is_written() -> None:
    reading, writing = os.pipe()
    lines = lines_at_hand(reading)
    os.write(writing, b"1\n2\n3")
    assert next(lines) == [Line(1, b"1"), Line(2, b"2")]
    os.write(writing, b"4\n")
    assert next(lines) == [Line(3, b"34")]
    os.close(writing)
    assert list(lines) == [[]]
    os.close(reading)


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(Invalid, match="line 2 is longer"):
        read(b"1\n" + b"x" * (MAX_LINE_BYTES + 1))


@pytest.mark.parametrize("text", [b"null", b"1.50", b' {"a": [1, "\xc3\xbc"]}\r'])
def test_json_goes_on_as_it_is(text: bytes) -> None:
    assert check_json(text) == text.strip()


@pytest.mark.parametrize("text", [b"", b"x", b"NaN", b"1 2", b"'a'", b'"\xff"', b'"\\ud800"', b'{"a":1}, {"b":2}'])
def test_what_is_no_strict_json_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid, match="no JSON"):
        check_json(text)


def test_the_good_lines_before_a_bad_one_are_kept() -> None:
    good, fault = good_beginning([Line(4, b"1"), Line(6, b"x"), Line(7, b"2")])
    assert good == [b"1"]
    assert fault is not None and fault.message.startswith("line 6 is no JSON")
    assert good_beginning([]) == ([], None)
