"""Ids: order, round trip, strictness."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from broker.errors import Invalid
from broker.ids import (
    MAX_MS,
    MAX_SEQ,
    MAX_TAG,
    Position,
    parse_position,
    parse_time,
    parse_ulid,
    render_tag,
    render_time,
    render_ulid,
)

positions = st.builds(Position, st.integers(0, MAX_MS), st.integers(0, MAX_SEQ) | st.integers(0, 2000))
tags = st.integers(0, MAX_TAG)


@given(tags, positions)
def test_a_ulid_reads_back_as_the_position_and_tag_it_was_made_of(tag: int, position: Position) -> None:
    cursor = parse_ulid(render_ulid(render_tag(tag), position))
    assert (cursor.position, cursor.tag) == (position, tag)


@given(tags, positions, positions)
def test_text_order_is_log_order_within_a_channel(tag: int, one: Position, other: Position) -> None:
    letters = render_tag(tag)
    assert (one < other) == (render_ulid(letters, one) < render_ulid(letters, other))


@given(tags, positions)
def test_another_ulid_library_reads_the_same_time(tag: int, position: Position) -> None:
    assert ULID.from_str(render_ulid(render_tag(tag), position)).milliseconds == position.ms


@given(positions)
def test_a_stream_id_reads_back(position: Position) -> None:
    assert parse_position(position.stream) == parse_position(position.stream.encode()) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01HZQX5K9V6BMRJ3WYAT0GN1PI",  # the seed's own sample holds an I
        "01hzqx5k9v6bmrj3wyat0gn1ph",
        "81HZQX5K9V6BMRJ3WYAT0GN1PH",
        "01HZQX5K9V6BMRJ3WYAT0GN1P",
        "01HZQX5K9V6BMRJ3WYAT0GN1PHX",
        "01HZQX5K9V6BMRJ3WYAT0GN1P ",
        "٠1HZQX5K9V6BMRJ3WYAT0GN1PH",
        "!!",
    ],
)
def test_what_is_no_ulid_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        parse_ulid(text)


@given(st.text(max_size=30))
def test_parsing_raises_nothing_but_invalid(text: str) -> None:
    for parse in (parse_ulid, parse_time):
        with contextlib.suppress(Invalid):
            parse(text)


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_reads_back_to_the_millisecond(ms: int) -> None:
    assert parse_time(render_time(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2025-01-15T09:30:01Z", 1_736_933_401_000),
        ("2025-01-15T10:30:01+01:00", 1_736_933_401_000),
        ("2025-01-15T09:30:01.0019Z", 1_736_933_401_001),
        ("2025-01-15", 1_736_899_200_000),
    ],
)
def test_times_in_the_usual_spellings(text: str, ms: int) -> None:
    assert parse_time(text) == ms
