"""Texts without what iCalendar does not allow in them."""

from handlers.calendar.texts import plain


def test_ends_of_lines_are_one_and_controls_are_gone() -> None:
    assert plain("a\r\nb\rc\u2028d\x00e\x9ff\tg") == "a\nb\nc\nde" + "f\tg"
