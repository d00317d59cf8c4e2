"""One id, two spellings: a place in a log as a stream id (`ms-seq`) and as a ULID.

A ULID here is 48 bits of milliseconds, 45 bits of channel tag and 35 bits of sequence (design section 3). Both
spellings order alike within a channel, so a cursor addresses the stream without an index. Pure; no clock.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from broker.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TAG_BITS = 45
SEQ_BITS = 35
MAX_MS = (1 << 48) - 1
MAX_SEQ = (1 << SEQ_BITS) - 1
MAX_TAG = (1 << TAG_BITS) - 1

_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)
_SHORT_SEQS = tuple("00000" + pair for pair in _PAIRS)


class Position(NamedTuple):
    """A place in one log: milliseconds and sequence, ordered as the log is."""

    ms: int
    seq: int

    @property
    def stream(self) -> str:
        """The engine's spelling, `ms-seq`."""
        return f"{self.ms}-{self.seq}"


class Cursor(NamedTuple):
    """A parsed ULID: the position it names and the tag of the channel that it came from."""

    ms: int
    tag: int
    seq: int

    @property
    def position(self) -> Position:
        """The place in a log, without the tag."""
        return Position(self.ms, self.seq)

    def within(self, tag: int) -> Position:
        """The place in the log with this tag: `ORIGIN`, where no event is, for a cursor of another log."""
        return self.position if self.tag == tag else ORIGIN


ORIGIN = Position(0, 0)


def parse_position(stream_id: bytes | str) -> Position:
    """The position of a stream id as the engine writes it; trusts its input."""
    text = stream_id if isinstance(stream_id, str) else stream_id.decode()
    ms, _, seq = text.partition("-")
    return Position(int(ms), int(seq))


def render_tag(tag: int) -> str:
    """The nine letters of a channel tag in the middle of each of its ids."""
    return _base32(tag, 9)


def render_ulid(tag_letters: str, position: Position) -> str:
    """The 26 letters of an id; `tag_letters` come from `render_tag`, once per channel."""
    return ulid_beginning(tag_letters, position.ms) + ulid_ending(position.seq)


def ulid_beginning(tag_letters: str, ms: int) -> str:
    """The first 19 letters of an id: all but its sequence."""
    return (
        _PAIRS[ms >> 40]
        + _PAIRS[(ms >> 30) & 1023]
        + _PAIRS[(ms >> 20) & 1023]
        + _PAIRS[(ms >> 10) & 1023]
        + _PAIRS[ms & 1023]
        + tag_letters
    )


def ulid_ending(seq: int) -> str:
    """The last seven letters of an id: its sequence."""
    return _SHORT_SEQS[seq] if seq < 1024 else _base32(seq, 7)


def parse_ulid(text: str) -> Cursor:
    """Read a ULID (26 upper-case Crockford letters, at most 128 bits); raises `Invalid` for anything else."""
    if len(text) != 26 or text[0] > "7":
        raise Invalid("not a ULID")
    number = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            raise Invalid("not a ULID")
        number = number << 5 | value
    return Cursor(number >> 80, (number >> SEQ_BITS) & MAX_TAG, number & MAX_SEQ)


def render_time(ms: int) -> str:
    """ISO 8601 in UTC with milliseconds, such as `2025-01-15T09:30:01.000Z`."""
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def parse_time(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time; without a zone it is UTC. Raises `Invalid`."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since_epoch = moment - datetime.fromtimestamp(0, UTC)
    except (ValueError, OverflowError):
        raise Invalid("not an ISO 8601 time") from None
    ms = since_epoch.days * 86_400_000 + since_epoch.seconds * 1000 + since_epoch.microseconds // 1000
    if not 0 <= ms <= MAX_MS:
        raise Invalid("time out of range")
    return ms


def _base32(number: int, length: int) -> str:
    letters = ""
    for _ in range(length):
        letters = ALPHABET[number & 31] + letters
        number >>= 5
    return letters
