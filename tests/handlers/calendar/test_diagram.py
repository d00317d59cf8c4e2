"""The state diagram of docs/calendars.md is the table's."""

from pathlib import Path

from handlers.calendar.diagram import render_mermaid

PAGE = (Path(__file__).parents[3] / "docs/calendars.md").read_text()


def test_the_page_shows_the_diagram_of_the_table() -> None:
    assert f"```mermaid\n{render_mermaid()}\n```" in PAGE, "put what handlers/calendar/diagram.py draws into the page"
    assert "hold --> confirmed: confirm" in PAGE
