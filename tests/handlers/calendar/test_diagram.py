"""The state diagram of docs/calendars.md is the table's."""

from handlers.calendar.diagram import render_mermaid
from tests.docs.blocks import Blocks, holds


@holds("docs/calendars.md", "mermaid")
def test_the_page_shows_the_diagram_of_the_table(blocks: Blocks) -> None:
    [drawn] = blocks
    assert drawn.text == f"{render_mermaid()}\n", "put what handlers/calendar/diagram.py draws into the page"
    assert "hold --> confirmed: confirm" in drawn.text
