"""Colours are for a terminal whose person does not forbid them."""

import click
import pytest

from handlers.terminal.colours import When, coloured, wants_colour
from handlers.terminal.rendering import event_line


@pytest.mark.parametrize(
    ("when", "environ", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_when(when: When, environ: dict[str, str], is_terminal: bool, expected: bool) -> None:
    assert wants_colour(when, environ, is_terminal=is_terminal) is expected


def test_colours_change_nothing_of_the_text() -> None:
    event = {"id": "01M8", "created_at": "2025", "type": "a\x1b[31mb", "data": "\x1b[0m"}
    line = event_line(event, is_coloured=True)
    assert line != event_line(event)
    assert click.unstyle(line) == event_line(event)


def test_a_type_has_one_colour() -> None:
    assert coloured("t", "i", "order.paid", "1")[2] == coloured("u", "j", "order.paid", "2")[2]
    assert len({coloured("t", "i", f"type-{i}", "1")[2].split("m")[0] for i in range(50)}) > 3
