"""How deliveries are made, which each API that has webhooks says for its own endpoints.

The engine reads, orders, sends, retries and records. A form says what is sent and under which headers, how long a
receiver that fails is borne with, and what is noted of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from broker.change import Delete, DocumentKey, Emitted, Put
from broker.channels import ChannelRecord
from broker.deliveries import BORNE, Attempt, Waiting
from broker.delivery_log import Row, keys_of, put_row, row_of
from broker.endpoints import Endpoint, Owner
from broker.events import Frame
from broker.pages import Types
from broker.patience import Patience
from broker.progress import Progress
from broker.storage.state import Loaded


class Composed(NamedTuple):
    """A request to a receiver, but for its URL."""

    headers: dict[str, str]
    body: bytes


class Facts(NamedTuple):
    """What came of a round: `logged` is how many rows the delivery log had before, `gaps` are rows for it."""

    subject: str
    logged: int
    attempts: Sequence[Attempt]
    gaps: Sequence[Row]


Written = tuple[Progress, list[Put | Delete]]


class Noting(NamedTuple):
    """What is to be noted: the documents to see for that, and what is written of them beside the progress. Pure."""

    keys: Sequence[DocumentKey]
    write: Callable[[Progress, Loaded], Written]


class Rows(NamedTuple):
    """Where each delivery has a row: `begin` notes what was read, before it is sent; `spare` makes room for so many
    that end, None where there is; `close` ends some of those that wait, at most `closed_at_once`, as nothing is sent
    any more."""

    begin: Callable[[str, Sequence[Waiting]], Noting]
    spare: Callable[[ChannelRecord, str, int], Awaitable[Noting | None]]
    close: Callable[[ChannelRecord, str], Awaitable[Noting]]
    closed_at_once: int


@dataclass(frozen=True, slots=True)
class Form:
    """How one API delivers.

    `compose` makes the request of an event at a time in ms; of the same event it makes the same body. `types` are those
    that an endpoint gets. `may_read` says whether it may still be told of a private channel. `ended` is what is told
    when the deliveries to an endpoint end. `at_once` is how many attempts are under way to one endpoint; one that
    `is_looked_at` is read again before each of them, so that a change of it counts at once.
    """

    compose: Callable[[Endpoint, ChannelRecord, Frame, int], Composed]
    types: Callable[[Endpoint], Types | None]
    may_read: Callable[[ChannelRecord, Owner], Awaitable[bool]]
    note: Callable[[Facts], Noting]
    patience: Patience = BORNE
    timeout_s: float = 15.0
    at_once: int = 2
    is_looked_at: bool = False
    rows: Rows | None = None
    ended: Callable[[ChannelRecord, Endpoint, Progress, int], Sequence[Emitted]] | None = None


def note_rows(subject: str, logged: int, rows: Sequence[Row]) -> Noting:
    """These as rows of the delivery log, behind the `logged` that there are."""
    places = keys_of(subject, logged, len(rows))

    def write(progress: Progress, loaded: Loaded) -> Written:
        numbered = enumerate(zip(places, rows, strict=True), logged)
        puts = [put_row(key, loaded.documents[key], subject, n, row, loaded.now_ms) for n, (key, row) in numbered]
        return replace(progress, logged=logged + len(rows)), [*puts]

    return Noting(places, write)


def note_attempts(facts: Facts) -> Noting:
    """Each gap and each attempt as a row of the delivery log."""
    return note_rows(facts.subject, facts.logged, [*facts.gaps, *map(row_of, facts.attempts)])
