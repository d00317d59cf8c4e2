"""Ids as cursors: the place just before an event. Pure.

An id has ten letters for the millisecond, nine that are the channel's own, and seven that count within the millisecond
(docs/decisions/0001). A cursor with the channel's own letters is a place in its log.
"""

from tidemark_client.errors import Invalid

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = 26
MS_LETTERS = 10
OWN_LETTERS = 9
TOP = "7"


def parse_cursor(text: str) -> str:
    """The cursor as it was given; raises `Invalid` when it is no ULID."""
    if len(text) != LETTERS or text[0] > TOP or any(letter not in DIGITS for letter in text):
        raise Invalid(f"{text} is no cursor: that is the id of an event, 26 letters and digits")
    return text


def cursor_before(event_id: str) -> str:
    """The cursor from which an event is the next; raises `Invalid`."""
    parse_cursor(event_id)
    ms, own = event_id[:MS_LETTERS], event_id[MS_LETTERS : MS_LETTERS + OWN_LETTERS]
    count = event_id[MS_LETTERS + OWN_LETTERS :]
    if count.strip("0"):
        return ms + own + _less_one(count)
    return _less_one(ms) + own + DIGITS[-1] * len(count)


def _less_one(digits: str) -> str:
    """The number before this one; none is before 0."""
    head = digits.rstrip("0")
    if not head:
        return digits
    return head[:-1] + DIGITS[DIGITS.index(head[-1]) - 1] + DIGITS[-1] * (len(digits) - len(head))
