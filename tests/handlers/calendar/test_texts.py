"""Texts without what iCalendar does not allow in them."""

from handlers.calendar.texts import plain


def test_ends_of_lines_are_one_and_controls_are_gone() -> None:
    assert plain("a\r\nb\rc\nd\u2028e\x00f\x1b\x7fg\x9fh\ti") == "a\nb\nc\nd\nefgh\ti"
