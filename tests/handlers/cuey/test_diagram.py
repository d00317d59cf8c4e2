"""The diagram of the documentation is the table."""

from handlers.cuey.diagram import render_mermaid
from tests.docs.blocks import Blocks, holds


@holds("docs/cuey.md", "mermaid")
def test_the_page_shows_the_diagram_of_the_table(blocks: Blocks) -> None:
    [drawn] = blocks
    assert drawn.text == f"{render_mermaid()}\n", "put what handlers/cuey/diagram.py draws into the page"
