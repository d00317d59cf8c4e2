"""Where a reader begins, from what a person types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from broker.ids import MAX_MS, MAX_SEQ, MAX_TAG, Position, cursor_before, parse_ulid, render_tag, render_ulid
from handlers.client.starts import parse_cursor, parse_since

NOW_MS = 1_736_933_400_500


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-01-15T09:30:00Z", "2025-01-15T09:30:00.000Z"),
        ("2025-01-15T10:30:00+01:00", "2025-01-15T09:30:00.000Z"),
        ("2025-01-15", "2025-01-15T00:00:00.000Z"),
        ("90s", "2025-01-15T09:28:30.500Z"),
        ("1d", "2025-01-14T09:30:00.500Z"),
        ("36500d", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_or_a_span_before_now(text: str, time: str) -> None:
    assert parse_since(text, NOW_MS) == time


@pytest.mark.parametrize("text", ["", "yesterday", "10", "-1h", "0s", "1900-01-01", "2025-13-01"])
def test_no_other_text_is_a_time(text: str) -> None:
    with pytest.raises(Invalid, match="neither a time"):
        parse_since(text, NOW_MS)


@pytest.mark.parametrize("text", ["", "x", "01m8ad6v5177ercvf2v0000000", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"])
def test_only_an_id_is_a_cursor(text: str) -> None:
    with pytest.raises(Invalid, match="no cursor"):
        parse_cursor(text)
    assert parse_cursor("01M8AD6V5177ERCVF2V0000000") == "01M8AD6V5177ERCVF2V0000000"


@given(st.integers(1, MAX_MS), st.integers(0, MAX_TAG), st.integers(0, MAX_SEQ))
def test_the_cursor_before_an_event_is_right_below_it_in_the_same_channel(ms: int, tag: int, seq: int) -> None:
    ms_before, tag_before, seq_before = parse_ulid(cursor_before(render_ulid(render_tag(tag), Position(ms, seq))))
    assert tag_before == tag
    assert (ms_before, seq_before) == ((ms, seq - 1) if seq else (ms - 1, MAX_SEQ))
