"""Entries of a log as the engine has them: a stream id and words, in the order that `lua/parts/log.lua` writes. Pure.

The words are 'w' and the JSON tail, 'r' and the stream id that it replies to, 't' and JSON of the type, 'p' and the
publisher; all but the first two are there where the event has them.
"""

from collections.abc import Sequence

Entry = tuple[bytes, Sequence[bytes]]


def tail_of(words: Sequence[bytes]) -> bytes:
    """The JSON tail of an event."""
    return words[1]


def type_of(words: Sequence[bytes]) -> bytes:
    """JSON of its type, empty without one."""
    if len(words) > 2 and words[2] == b"t":
        return words[3]
    return words[5] if len(words) > 4 and words[4] == b"t" else b""
