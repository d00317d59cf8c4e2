"""The state diagram is the table's."""

from handlers.calendar.diagram import render_mermaid


def test_a_hold_ends_in_every_way_and_is_reached_by_none() -> None:
    lines = [line.strip() for line in render_mermaid().splitlines()]
    assert {f"hold --> cancelled: {word}" for word in ("release", "expire", "bump")} <= set(lines)
    assert "hold --> confirmed: confirm" in lines
    assert [line for line in lines if "--> hold" in line] == ["[*] --> hold: POST"]
