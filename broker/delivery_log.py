"""The delivery log of an endpoint: its newest 1,000 attempts and gaps, each kept for 30 days. Pure.

A ring of documents: attempt number n overwrites attempt n - 1,000, so nothing has to be swept. Two indexes are by n:
all of them, and those of one verdict. Verdicts are `delivered`, `retrying`, `dead` (given up: the dead letters),
`probe` (of an endpoint that is paused) and `gap` (events that retention removed before they could be delivered).
"""

from collections.abc import Sequence
from typing import Any

import orjson

from broker.change import Document, DocumentKey, Entry, Put
from broker.channels import DAY_MS
from broker.deliveries import Attempt
from broker.ids import render_time

KIND = "delivery"
ROWS = 1_000
KEPT_DAYS = 30
VERDICTS = ("delivered", "retrying", "dead", "probe", "gap")

Row = dict[str, Any]


def row_of(attempt: Attempt) -> Row:
    """An attempt as it is kept and shown."""
    outcome = attempt.outcome
    return {
        "verdict": attempt.verdict,
        "event_id": attempt.event_id,
        "attempt": attempt.number,
        "at": render_time(outcome.at_ms),
        "duration_ms": outcome.duration_ms,
        "status": outcome.status,
        "error": outcome.error,
        "next_attempt_at": None if attempt.next_ms is None else render_time(attempt.next_ms),
    }


def gap_of(after: str, until: str, now_ms: int) -> Row:
    """Events after one cursor up to another one were removed before they were delivered."""
    return {"verdict": "gap", "after": after, "until": until, "at": render_time(now_ms)}


def keys_of(subject: str, logged: int, count: int) -> list[DocumentKey]:
    """The documents of the next `count` rows of the endpoint with this subject, of which there were `logged`."""
    return [DocumentKey(KIND, f"{subject}/{(logged + step) % ROWS:03d}") for step in range(count)]


def index_of(subject: str, verdict: str | None = None) -> str:
    """The index of an endpoint's rows, or of those with this verdict."""
    return f"{KIND}/{subject}" if verdict is None else f"{KIND}/{subject}/{verdict}"


def put_row(key: DocumentKey, known: Document | None, subject: str, number: int, row: Row, now_ms: int) -> Put:
    """The change that writes row `number`."""
    entries = tuple(Entry(name, number, key.id) for name in (index_of(subject), index_of(subject, row["verdict"])))
    body = orjson.dumps({"number": number, **row})
    return Put(key, known.version if known else 0, body, entries, now_ms + KEPT_DAYS * DAY_MS)


def parse_rows(documents: Sequence[Document]) -> list[Row]:
    """What kept documents say; trusts its input."""
    return [orjson.loads(each.body) for each in documents]
