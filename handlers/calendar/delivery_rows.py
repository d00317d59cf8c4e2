"""The delivery log of a webhook: a row for each event that was read for it (contract section 10, D19). Pure.

A row is pending from when its event was first read to its final result. Finished ones are kept for 30 days, the last
1,000 of them. A replay makes a finished one pending again. The counts of all time are kept with the progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from broker.change import Delete, Document, DocumentKey, Entry, Put
from broker.channels import DAY_MS
from broker.deliveries import Attempt, Waiting
from broker.delivery_forms import Facts, Noting, Written, note_rows
from broker.ids import parse_ulid, render_time
from broker.progress import Progress
from broker.storage.state import Loaded
from handlers.calendar.sent import delivery_id_of, name_of

KIND = "calendar-delivery"
MOST_FINISHED = 1_000
MOST_PENDING = 1_000
"""With so many that wait, no more events are read until some are finished."""

KEPT_DAYS = 30
FINISHED = "finished"
STATUSES = {"delivered": "delivered", "dead": "failed"}
"""What a verdict makes of a row; any other leaves it pending."""

Row = dict[str, Any]


def index_of(subject: str, status: str | None = None) -> str:
    """The index of all rows by the time of their events, or of those with this status; `FINISHED` by when they were."""
    return f"calendar-deliveries/{subject}/{status or ''}"


def row_key(subject: str, event_id: str) -> DocumentKey:
    """The row of an event."""
    return DocumentKey(KIND, f"{subject}/{event_id}")


def begin(subject: str, waiting: Sequence[Waiting]) -> Noting:
    """Rows for events that were read."""
    read = {row_key(subject, each.frame.id): each for each in waiting}

    def write(progress: Progress, loaded: Loaded) -> Written:
        puts: list[Put | Delete] = []
        for key, each in read.items():
            found = loaded.documents[key]
            known = parse_row(found) if found else _new(subject, each)
            if found is None or known["status"] != "pending":
                puts.append(_put(key, found, {**known, "status": "pending", "next_retry_ms": None}, loaded.now_ms))
        return replace(progress, pending=progress.pending + len(puts)), puts

    return Noting([*read], write)


def note(facts: Facts) -> Noting:
    """What came of the attempts; gaps are rows of the engine's own log."""
    gaps = note_rows(facts.subject, facts.logged, facts.gaps)
    tried = {row_key(facts.subject, each.event_id): each for each in facts.attempts}

    def write(progress: Progress, loaded: Loaded) -> Written:
        progress, puts = gaps.write(progress, loaded)
        for key, attempt in tried.items():
            progress = _counted(progress, attempt.verdict)
            if (found := loaded.documents[key]) is not None:
                row = _after(parse_row(found), attempt)
                puts.append(_put(key, found, row, loaded.now_ms, progress.delivered + progress.given_up))
        return progress, puts

    return Noting([*gaps.keys, *tried], write)


def close(pending: Mapping[DocumentKey, Document]) -> Noting:
    """These, which are pending, are given up; none are left where there are none."""

    def write(progress: Progress, loaded: Loaded) -> Written:
        puts: list[Put | Delete] = []
        for key in pending:
            found = loaded.documents[key]
            if found is not None:
                row = {**parse_row(found), "status": "failed", "next_retry_ms": None}
                progress = _counted(progress, "dead")
                ended = {**row, "error": row["error"] or "the webhook was not active any more"}
                puts.append(_put(key, found, ended, loaded.now_ms, progress.delivered + progress.given_up))
        return progress if puts else replace(progress, pending=0), puts

    return Noting([*pending], write)


def remove(oldest: Mapping[DocumentKey, Document]) -> Noting:
    """These rows go."""

    def write(progress: Progress, loaded: Loaded) -> Written:
        found = {key: loaded.documents[key] for key in oldest}
        return progress, [Delete(key, each.version) for key, each in found.items() if each is not None]

    return Noting([*oldest], write)


def parse_row(document: Document) -> Row:
    """What a kept row says; trusts its input."""
    row: Row = orjson.loads(document.body)
    return row


def show_row(webhook_id: str, row: Row) -> Row:
    """How a row is shown."""
    times = {name: row[f"{name}_ms"] for name in ("last_attempt", "next_retry")}
    return {
        "id": delivery_id_of(webhook_id, row["event_id"]),
        "subscription_id": webhook_id,
        "event_type": row["event_type"],
        "status": row["status"],
        "attempts": row["attempts"],
        **{f"{name}_at": None if at_ms is None else render_time(at_ms) for name, at_ms in times.items()},
        "created_at": render_time(parse_ulid(row["event_id"]).ms),
        "response_status": row["response_status"],
        "error": row["error"],
    }


def _new(subject: str, waiting: Waiting) -> Row:
    return {
        "event_id": waiting.frame.id,
        "event_type": name_of(waiting.frame),
        "status": "pending",
        "attempts": 0,
        "last_attempt_ms": None,
        "next_retry_ms": None,
        "response_status": None,
        "error": None,
    }


def _after(row: Row, attempt: Attempt) -> Row:
    outcome = attempt.outcome
    return {
        **row,
        "status": STATUSES.get(attempt.verdict, "pending"),
        "attempts": row["attempts"] + 1,
        "last_attempt_ms": outcome.at_ms,
        "next_retry_ms": attempt.next_ms,
        "response_status": outcome.status,
        "error": outcome.error,
    }


def _counted(progress: Progress, verdict: str) -> Progress:
    match STATUSES.get(verdict):
        case "delivered":
            return replace(progress, pending=max(0, progress.pending - 1), delivered=progress.delivered + 1)
        case "failed":
            return replace(progress, pending=max(0, progress.pending - 1), given_up=progress.given_up + 1)
        case _:
            return progress


def _put(key: DocumentKey, found: Document | None, row: Row, now_ms: int, number: int = 0) -> Put:
    subject, _, event_id = key.id.rpartition("/")
    at_ms, status = parse_ulid(event_id).ms, row["status"]
    entries = [Entry(index_of(subject), at_ms, key.id), Entry(index_of(subject, status), at_ms, key.id)]
    if status != "pending":
        entries.append(Entry(index_of(subject, FINISHED), number, key.id))
    version = found.version if found else 0
    return Put(key, version, orjson.dumps(row), tuple(entries), now_ms + KEPT_DAYS * DAY_MS)
