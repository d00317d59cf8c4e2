"""A Change: all that one command does, as data (design section 4). Pure.

A domain decides, `transition(state, command, now) -> Change`; `storage.commit` writes it, all or nothing. Changes join,
so that a batch is one Change. An empty Change does nothing and publishes nothing: what repeats a command that already
led here returns one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from broker.errors import TooLarge
from broker.events import Draft, Stored, store
from broker.strictjson import render_json
from broker.timers import Timer, TimerName

MAX_OPERATIONS = 500
"""How much one Change may do: a document with its entries counts as one, so do each event on a log and each timer."""

MAX_EVENT_BYTES = 131_072
"""How long an event of a domain may be, as it is stored (design section 8)."""


class DocumentKey(NamedTuple):
    """Which document of an owner: its kind (`lifecycle-event`) and its id, which has no line breaks.

    Ids must be unique within their kind in the whole server: where a tenant's callers choose them, the tenant's name is
    a part of them (`acme/0192...`).
    """

    kind: str
    id: str


class Document(NamedTuple):
    """A document as it was read: JSON, and its version, which no other one of this key ever had.

    `indexes` are the names of those that it stands in, where it was read by its key.
    """

    version: int
    body: bytes
    indexes: tuple[str, ...] = ()


class Entry(NamedTuple):
    """A place in an index: a sorted set by a number (at most 2^53, such as a time in ms). `member` is a document's id.

    Names of indexes and members have no line breaks.
    """

    name: str
    score: int
    member: str


class Put(NamedTuple):
    """Write a document that has the version `expected` now (0: there is none).

    `entries` are all the indexes that it stands in from now on; what it stood in before and is not among them, it
    leaves. At `expires_ms` it is gone, with its entries; every kind of document that is not somebody's to delete has
    such an end.
    """

    key: DocumentKey
    expected: int
    body: bytes
    entries: tuple[Entry, ...] = ()
    expires_ms: int | None = None


class Delete(NamedTuple):
    """Remove a document that has the version `expected` now, with its entries."""

    key: DocumentKey
    expected: int


class Emitted(NamedTuple):
    """An event to append to a log."""

    channel_id: str
    event: Stored


class Answer(NamedTuple):
    """What the caller is told; kept, where an Idempotency-Key came with the command.

    `channel_id` is the log that tells of the resource. `is_secret`: the body shows something that is shown once.
    """

    status: int
    body: bytes
    channel_id: str | None = None
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Documents, events in their order, timers to arm (`Timer`) and to disarm (`TimerName`), and the answer."""

    documents: tuple[Put | Delete, ...] = ()
    events: tuple[Emitted, ...] = ()
    timers: tuple[Timer | TimerName, ...] = ()
    answer: Answer | None = None

    @property
    def operations(self) -> int:
        """How much it does."""
        return len(self.documents) + len(self.events) + len(self.timers)

    @property
    def is_empty(self) -> bool:
        """Whether it does nothing; it may still have an answer."""
        return not self.operations


NOTHING = Change()


def join(changes: Iterable[Change], answer: Answer | None = None) -> Change:
    """One Change that does all of these in their order, and answers `answer`.

    Two that write the same document or set the same timer cannot be joined: that is a defect (`ValueError`), as the
    second was decided on what the first has already changed.
    """
    parts = list(changes)
    documents = tuple(each for part in parts for each in part.documents)
    timers = tuple(each for part in parts for each in part.timers)
    names = [each.name if isinstance(each, Timer) else each for each in timers]
    if len({each.key for each in documents}) < len(documents) or len(set(names)) < len(names):
        raise ValueError("two parts of a Change write the same document or timer")
    return Change(documents, tuple(each for part in parts for each in part.events), timers, answer)


def emit(channel_id: str, kind: str, data: Any, publisher: str) -> Emitted:
    """The event of this type on a log; `publisher` is `system-<domain>`. Raises `TooLarge` beyond 128 KB."""
    event = store(Draft(kind, data, render_json(data), None, None), channel_id, publisher, None)
    if len(event.tail) > MAX_EVENT_BYTES:
        raise TooLarge(f"The event of this change would be over {MAX_EVENT_BYTES} bytes")
    return Emitted(channel_id, event)


def check_size(change: Change) -> None:
    """Raises `TooLarge` for a Change of more than `MAX_OPERATIONS`."""
    if change.operations > MAX_OPERATIONS:
        raise TooLarge(f"This would be {change.operations} changes in one step; {MAX_OPERATIONS} are the most")
