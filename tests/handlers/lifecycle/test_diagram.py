"""The state diagram of docs/lifecycle.md is the table's."""

from pathlib import Path

from handlers.lifecycle.diagram import render_mermaid

PAGE = (Path(__file__).parents[3] / "docs/lifecycle.md").read_text()


def test_the_page_shows_the_diagram_of_the_table() -> None:
    assert f"```mermaid\n{render_mermaid()}\n```" in PAGE, "put what handlers/lifecycle/diagram.py draws into the page"


def test_every_status_and_every_way_is_drawn() -> None:
    lines = [line.strip() for line in render_mermaid().splitlines()]
    assert "StatusStarted --> StatusCanceled: Cancel" in lines
    assert "StatusStarted --> StatusStarted: Start (repeat)" in lines
    assert {"StatusFinished --> [*]", "StatusCanceled --> [*]"} <= set(lines)
    assert not [line for line in lines if line.startswith("StatusPending") and "Finish" in line]
