"""A Change in the words of `commit.lua`: its keys and its arguments, in the order that the script takes them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from broker.change import Answer, Change, Document, DocumentKey, Emitted, Entry, Put
from broker.channels import ChannelRecord
from broker.events import Stored
from broker.idempotency import IdempotencyKey
from broker.storage.appender import Retention
from broker.storage.channels import keys_of
from broker.storage.keys import answer_keys, index_key, partition_keys, state_key
from broker.timers import Claimed, Timer, render_member

SECRET_MS = 600_000
"""How long an answer that shows a secret is kept (design section 6)."""


class Sealed(NamedTuple):
    """An answer to keep: for which key, its status, its body as it is kept, and the log and cursor that it shows."""

    key: IdempotencyKey
    answer: Answer
    body: bytes
    log: ChannelRecord | None
    tail: str


class Call(NamedTuple):
    """Keys and arguments of the script; `logs` are the channels in the order in which the script answers them."""

    keys: list[str]
    args: list[Any]
    logs: list[str]


def call_of(
    partition: int,
    change: Change,
    *,
    read: Mapping[DocumentKey, Document | None],
    records: Mapping[str, ChannelRecord],
    retention: Retention,
    offset_ms: int,
    claimed: Claimed | None = None,
    kept: Sealed | None = None,
) -> Call:
    """The call that writes the change, if all that was `read` is still what it was.

    Every key is named that the script may touch, also those of the indexes that documents stand in or leave: while its
    slot is being moved, a script that came to one that it has not named would be ended in the middle.
    """
    own = partition_keys(partition)
    row = answer_keys(partition, kept.key.row) if kept else (own.floor, own.floor)
    keys = [own.floor, own.trims, own.timers, own.claims, own.expiries, own.commits, *row]
    documents, document_words = _documents(partition, change, read)
    logs = _by_log(change.events)
    args = [
        offset_ms,
        own.timer_topic,
        index_key(partition, ""),
        render_member(claimed.timer.name) if claimed else "",
        claimed.fence if claimed else "",
        *answer_words(kept, retention),
        len(documents),
        len(logs),
        len(change.timers),
        *document_words,
        *(word for name, events in logs.items() for word in _log_words(records[name], events, retention)),
        *(word for each in change.timers for word in _timer_words(each)),
    ]
    keys += documents
    for name in logs:
        keys += keys_of(records[name])[:3]
    keys += [index_key(partition, name) for name in _indexes(change, read)]
    return Call(keys, args, list(logs))


def answer_words(kept: Sealed | None, retention: Retention) -> tuple[Any, ...]:
    """The words of an answer to keep, as `parts/answer.lua` takes them."""
    if kept is None:
        return ("",) * 7
    log = f"{kept.log.id} {kept.log.tag_letters}" if kept.log else ""
    sealed_for = SECRET_MS if kept.answer.is_secret else ""
    lifetime_ms = retention.idempotency_ttl_s * 1000
    return kept.key.body, kept.answer.status, kept.body, lifetime_ms, sealed_for, log, kept.tail


def _indexes(change: Change, read: Mapping[DocumentKey, Document | None]) -> list[str]:
    """The indexes that the documents of a change come to stand in, or stood in, each once."""
    names: dict[str, None] = {}
    for each in change.documents:
        known = read.get(each.key)
        names |= dict.fromkeys(known.indexes if known else ())
        names |= dict.fromkeys(entry.name for entry in each.entries) if isinstance(each, Put) else {}
    return list(names)


def _documents(
    partition: int, change: Change, read: Mapping[DocumentKey, Document | None]
) -> tuple[list[str], list[Any]]:
    written = {each.key for each in change.documents}
    keys, words = [], []
    for key, known in read.items():
        if key not in written:
            keys.append(state_key(partition, *key))
            words += ["check", known.version if known else 0]
    for each in change.documents:
        keys.append(state_key(partition, *each.key))
        if isinstance(each, Put):
            ends = "" if each.expires_ms is None else each.expires_ms
            words += ["put", each.expected, each.body, ends, _lines(each.entries)]
        else:
            words += ["delete", each.expected]
    return keys, words


def _lines(entries: Sequence[Entry]) -> str:
    return "".join(f"{entry.name}\n{entry.member}\n{entry.score}\n" for entry in entries)


def _by_log(events: Sequence[Emitted]) -> dict[str, list[Stored]]:
    logs: dict[str, list[Stored]] = {}
    for each in events:
        logs.setdefault(each.channel_id, []).append(each.event)
    return logs


def _log_words(record: ChannelRecord, events: Sequence[Stored], retention: Retention) -> list[Any]:
    words: list[Any] = [
        record.id,
        keys_of(record).topic,
        record.version,
        record.retention_ms(retention.days),
        record.retention_events(retention.events),
        len(events),
    ]
    for event in events:
        parent = event.reply_to.within(record.tag).stream if event.reply_to else ""
        words += (event.type_json or "", event.publisher or "", parent, event.tail)
    return words


def _timer_words(timer: Any) -> tuple[Any, ...]:
    if isinstance(timer, Timer):
        return "arm", render_member(timer.name), timer.due_ms
    return "disarm", render_member(timer), 0
