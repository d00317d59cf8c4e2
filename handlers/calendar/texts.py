"""Texts as iCalendar has them (RFC 5545, 3.3.11). Pure."""

import re

_NEW_LINES = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """A text without what RFC 5545 does not allow in one: every end of a line is `\\n`, controls are left out."""
    return _CONTROLS.sub("", _NEW_LINES.sub("\n", text))
