"""Frames of many events at once are those of each by itself."""

from hypothesis import given
from hypothesis import strategies as st

from broker.events import frame, frames_of
from broker.ids import MAX_MS, MAX_SEQ, Position, render_tag

PLACES = st.lists(
    st.tuples(st.integers(0, 3) | st.integers(0, MAX_MS // 2), st.integers(0, 5) | st.integers(0, MAX_SEQ))
)


@given(PLACES, st.sampled_from([b"", b'"tick"']))
def test_frames_of_a_log_are_those_of_its_events_one_by_one(places: list[tuple[int, int]], type_json: bytes) -> None:
    # `render_time` knows no year after 9999, which is half of what the milliseconds of an id could say.
    letters, tail = render_tag(7), b'"data":1}'
    moments = [(min(ms, 253_402_300_799_999), seq) for ms, seq in places]
    entries = [(b"%d-%d" % place, type_json, tail) for place in moments]
    expected = [frame(letters, Position(*place), type_json or None, tail) for place in moments]
    assert frames_of(letters, entries) == expected
