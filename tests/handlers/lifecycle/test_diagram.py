"""The state diagram of docs/lifecycle.md is the table's."""

from handlers.lifecycle.diagram import render_mermaid
from tests.docs.blocks import Blocks, holds


@holds("docs/lifecycle.md", "mermaid")
def test_the_page_shows_the_diagram_of_the_table(blocks: Blocks) -> None:
    [drawn] = blocks
    assert drawn.text == f"{render_mermaid()}\n", "put what handlers/lifecycle/diagram.py draws into the page"


def test_every_status_and_every_way_is_drawn() -> None:
    lines = [line.strip() for line in render_mermaid().splitlines()]
    assert "StatusStarted --> StatusCanceled: Cancel" in lines
    assert "StatusStarted --> StatusStarted: Start (repeat)" in lines
    assert {"StatusFinished --> [*]", "StatusCanceled --> [*]"} <= set(lines)
    assert not [line for line in lines if line.startswith("StatusPending") and "Finish" in line]
