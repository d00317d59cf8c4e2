"""What a close code asks of a reader: come back, go on from another cursor, or stop (contract section 16). Pure.

    1000 channel deleted   the end                     4401 token expired     an error, or a fresh token
    1008 too many, 1009    an error                    4403 forbidden         an error
    1012 restart, 1013     come back, after a pause    4408 lagging           come back
    4410 cursor expired    go on from the cursor of the reason: what lies before it is gone
    any other, or none     the connection broke: come back

The reason carries the cursor to resume from, behind `; cursor=`.
"""

import re
from typing import NamedTuple

FINAL = (1008, 1009)
COME_BACK = (1012, 1013, 4408)
FIRST_OF_OURS = 4000

_CURSOR = re.compile(r"; cursor=([0-7][0-9A-HJKMNP-TV-Z]{25})$")


class Ended(Exception):
    """The channel's log has ended for good, and all of it was read."""


class Cut(Exception):
    """The server ended the reading and coming back is of no use. The text says why."""


class Resume(NamedTuple):
    """Come back: after this cursor, or where the reader stands if None, and not before `wait_s`.

    `says` is for the person who watches. `is_gap` tells that the cursor is not where the reader stood.
    """

    cursor: str | None
    says: str
    wait_s: float = 0.0
    is_gap: bool = False


def after_close(code: int | None, reason: str, *, cursor: str, is_renewable: bool = False) -> Resume:
    """How a reader at `cursor` goes on after this close; None is a connection that broke without a close frame.

    `is_renewable` tells that the reader can get a new token by itself. Raises `Ended` and `Cut`.
    """
    found = _CURSOR.search(reason)
    word, told = (reason[: found.start()], found[1]) if found else (reason, None)
    if code is None:
        return Resume(None, "The connection broke")
    if code == 1000:
        raise Ended(word)
    if code == 4401 and is_renewable:
        return Resume(told, "The token expired; coming back with a new one")
    if code == 4410 and told is not None:
        return Resume(told, f"There is a gap: events after {cursor} are no longer kept", is_gap=True)
    if code in COME_BACK or (code < FIRST_OF_OURS and code not in FINAL):
        return Resume(told, f"The server closed the connection ({code} {word})".replace(" )", ")"))
    raise Cut(f"The server ended the reading: {word or 'no reason given'} ({code})")
