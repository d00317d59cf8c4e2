"""What a close code asks of a reader: come back, go on from another cursor, or stop (`docs/close-codes.md`). Pure.

    1000 channel deleted    the end                   4401 token expired     an error, or a fresh token
    1002, 1007              an error                  4403 forbidden         an error
    1008 too many messages  come back in a minute     4408 lagging           come back after a second
    1012 restart            come back, spread         4410 cursor expired    go on from the cursor that is told:
    other below 4000        come back, ever later                            what lies before it is gone

Above 4000 any other is an error. The reason of a close frame carries the cursor to resume from, behind `; cursor=`.
"""

import re
from typing import Literal, NamedTuple

from tidemark_client.errors import ChannelEnded, Cut

AT_FAULT = (1002, 1007)
FIRST_OF_OURS = 4000
MINUTE_S = 60.0
SECOND_S = 1.0

_CURSOR = re.compile(r"; cursor=([0-7][0-9A-HJKMNP-TV-Z]{25})$")

Pace = Literal["growing", "spread", "at once"]


class Resume(NamedTuple):
    """Come back: after this cursor, or where the reader stands if None, at this pace and not before `least_s`.

    `says` is for the person who watches. `is_gap` tells that what lies before the cursor is gone.
    """

    cursor: str | None
    says: str
    pace: Pace = "growing"
    least_s: float = 0.0
    is_gap: bool = False


class Close(NamedTuple):
    """How a reading was closed: the code, the reason without its cursor, and the cursor."""

    code: int
    reason: str
    cursor: str | None


def parse_close(code: int, reason: str) -> Close:
    """The close of a WebSocket."""
    found = _CURSOR.search(reason)
    return Close(code, reason[: found.start()], found[1]) if found else Close(code, reason, None)


def after_close(close: Close, *, is_renewable: bool = False) -> Resume:
    """How a reader goes on after this close. `is_renewable` tells that it can get a new token by itself.

    Raises `ChannelEnded` and `Cut`.
    """
    code, reason, cursor = close
    said = f"The server closed the connection ({code} {reason})".replace(" )", ")")
    if code == 1000:
        raise ChannelEnded(f"The server ended the channel: {reason}")
    if code == 4401 and is_renewable:
        return Resume(cursor, "The token expired; coming back with a new one", "at once")
    if code == 4410 and cursor is not None:
        return Resume(cursor, said, "at once", is_gap=True)
    if code == 4408:
        return Resume(cursor, said, least_s=SECOND_S)
    if code in AT_FAULT or code >= FIRST_OF_OURS:
        raise Cut(f"The server ended the reading: {reason or 'no reason given'} ({code})", code)
    if code == 1008:
        return Resume(cursor, said, least_s=MINUTE_S)
    return Resume(cursor, said, "spread" if code == 1012 else "growing")
