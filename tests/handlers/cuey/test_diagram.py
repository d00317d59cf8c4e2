"""The diagram of the documentation is the table."""

from pathlib import Path

from handlers.cuey.diagram import render_mermaid

PAGE = Path(__file__).parents[3] / "docs/cuey.md"


def test_the_page_shows_the_diagram_of_the_table() -> None:
    assert f"```mermaid\n{render_mermaid()}\n```" in PAGE.read_text()
