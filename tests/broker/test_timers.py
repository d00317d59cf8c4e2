"""Names and due times of timers."""

from hypothesis import given
from hypothesis import strategies as st

from broker.timers import MS_NS, TimerName, due_ms, parse_member, render_member


@given(st.integers(0, 1 << 62))
def test_a_due_time_is_rounded_up_so_that_nothing_is_early(time_ns: int) -> None:
    assert due_ms(time_ns) * MS_NS >= time_ns > (due_ms(time_ns) - 1) * MS_NS


def test_a_name_reads_back_also_with_slashes_in_its_subject() -> None:
    name = TimerName("hold", "acme", "cal/01/x")
    assert parse_member(render_member(name).encode()) == name
