"""The state diagram is the table's."""

from handlers.lifecycle.diagram import render_mermaid


def test_every_status_and_every_way_is_drawn() -> None:
    lines = [line.strip() for line in render_mermaid().splitlines()]
    assert "StatusStarted --> StatusCanceled: Cancel" in lines
    assert "StatusStarted --> StatusStarted: Start (repeat)" in lines
    assert {"StatusFinished --> [*]", "StatusCanceled --> [*]"} <= set(lines)
    assert not [line for line in lines if line.startswith("StatusPending") and "Finish" in line]
