"""Places in pages are found and filled; nothing else changes."""

import pytest

from reference.markdown import filled, names_in, render_table

PAGE = "before\n\n<!-- generated: a/b -->\nold\n<!-- end -->\n\nbetween\n\n<!-- generated: c -->\n<!-- end -->\nafter\n"


def test_places_are_filled_and_the_rest_stays() -> None:
    once = filled(PAGE, {"a/b": lambda: "new", "c": lambda: "more"})
    assert names_in(PAGE) == names_in(once) == ["a/b", "c"]
    assert once.startswith("before\n\n<!-- generated: a/b -->\n\nnew\n\n<!-- end -->\n\nbetween\n")
    assert once.endswith("\n\nmore\n\n<!-- end -->\nafter\n") and "old" not in once
    assert filled(once, {"a/b": lambda: "new", "c": lambda: "more"}) == once


def test_a_name_that_nothing_is_generated_under_is_refused() -> None:
    with pytest.raises(KeyError, match="c"):
        filled(PAGE, {"a/b": lambda: "new"})


def test_a_bar_in_a_cell_is_no_cell_of_its_own() -> None:
    assert render_table(["a", "b"], [["x|y", ""]]).splitlines()[2] == "| x\\|y |   |"
