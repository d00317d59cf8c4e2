"""The state diagram is the table's."""

from handlers.cuey.diagram import render_mermaid


def test_every_way_is_drawn_and_only_what_waits_is_changed() -> None:
    lines = [line.strip() for line in render_mermaid().splitlines()]
    assert {"pending --> [*]: delete", "processing --> failed: fail", "failed --> [*]"} <= set(lines)
    assert [line for line in lines if line.endswith(": update")] == ["pending --> pending: update"]
