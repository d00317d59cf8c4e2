"""The state diagram is the table's."""

from handlers.live.diagram import render_mermaid
from tests.docs.blocks import Blocks, holds


def test_every_way_is_drawn_and_a_stopped_rehearsal_ends() -> None:
    lines = [line.strip() for line in render_mermaid().splitlines()]
    assert {"ready --> rehearsal: rehearsal/start", "rehearsal --> ending: live/stop", "ended --> [*]"} <= set(lines)
    assert not [line for line in lines if "failed" in line or "draft" in line]


@holds("docs/live.md", "mermaid")
def test_the_page_shows_the_diagram_of_the_table(blocks: Blocks) -> None:
    [drawn] = blocks
    assert drawn.text == f"{render_mermaid()}\n", "put what handlers/live/diagram.py draws into the page"
