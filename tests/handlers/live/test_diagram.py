"""The state diagram is the table's."""

from handlers.live.diagram import render_mermaid


def test_every_way_is_drawn_and_a_stopped_rehearsal_ends() -> None:
    lines = [line.strip() for line in render_mermaid().splitlines()]
    assert {"ready --> rehearsal: rehearsal/start", "rehearsal --> ending: live/stop", "ended --> [*]"} <= set(lines)
    assert not [line for line in lines if "failed" in line or "draft" in line]
