"""Cursors before an event, beside the broker's own spelling of ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.ids import MAX_MS, MAX_SEQ, MAX_TAG, Position, parse_ulid, render_tag, render_ulid
from tests.clients.cases import START
from tidemark_client.errors import Invalid
from tidemark_client.ids import cursor_before, parse_cursor


@given(st.integers(1, MAX_MS), st.integers(0, MAX_TAG), st.just(0) | st.integers(0, MAX_SEQ))
def test_the_cursor_before_an_event_is_right_below_it_in_the_same_channel(ms: int, tag: int, seq: int) -> None:
    event_id = render_ulid(render_tag(tag), Position(ms, seq))
    ms_before, tag_before, seq_before = parse_ulid(cursor_before(event_id))
    assert tag_before == tag
    assert (ms_before, seq_before) == ((ms, seq - 1) if seq else (ms - 1, MAX_SEQ))


@pytest.mark.parametrize("text", ["", "x", START[:-1], START + "0", START.lower(), "8" + START[1:], START[:-1] + "U"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no cursor"):
        parse_cursor(text)
