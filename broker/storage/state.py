"""Reading what an owner has: documents, pages of them by an index, the tail of its log, and kept answers.

What is answered together was read in one script, so it is of one moment; and that moment is told, by the clock that
decides: the engine's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from broker.change import Document, DocumentKey
from broker.channels import ChannelRecord
from broker.errors import TooLarge, Unavailable
from broker.idempotency import IdempotencyKey, Kept
from broker.ids import Position, parse_position, render_ulid
from broker.sealing import Sealer
from broker.storage.channels import Channels, keys_of
from broker.storage.engine import Engine
from broker.storage.keys import answer_keys, index_key, partition_keys, state_key
from broker.storage.scripts import LIST_DOCUMENTS, READ_DOCUMENTS

READ_ATTEMPTS = 4
MOST_PAGE_BYTES = 67_108_864


class Tail(NamedTuple):
    """The end of a log: where a reader goes on who has seen the state that was read with it."""

    channel_id: str
    cursor: str


class Loaded(NamedTuple):
    """What was read at `now_us`, Unix time in microseconds. Documents that are not there are None.

    `records` are the channels, as a commit that follows from this takes them; `tail` is the first one's.
    """

    now_us: int
    documents: Mapping[DocumentKey, Document | None]
    tail: Tail | None
    records: Mapping[str, ChannelRecord]

    @property
    def now_ms(self) -> int:
        """The same time in whole milliseconds, rounded down."""
        return self.now_us // 1000


class Found(NamedTuple):
    """What was read, and the answer that was kept for the Idempotency-Key, None where there is none."""

    loaded: Loaded
    kept: Kept | None


class Page(NamedTuple):
    """Documents of a page with the members that they have in the index, in its order; `total` without the limits."""

    now_us: int
    total: int
    documents: list[tuple[str, Document]]
    tail: Tail | None


class Reader:
    """Reads the documents of all owners."""

    def __init__(self, engine: Engine, channels: Channels, sealer: Sealer) -> None:
        self._engine = engine
        self._channels = channels
        self._sealer = sealer

    async def read(
        self,
        partition: int,
        keys: Sequence[DocumentKey],
        *,
        logs: Sequence[ChannelRecord] = (),
        key: IdempotencyKey | None = None,
    ) -> Found:
        """These documents, the tail of the first log, and the answer to a key. Raises `NotFound` for a log."""
        # One that lives elsewhere is remembered from before its name was claimed by another tenant.
        records = [each if each.partition == partition else await self._channels.refresh(each.id) for each in logs]
        for _ in range(READ_ATTEMPTS):
            names = [*self._answer_keys(partition, key), *(state_key(partition, *each) for each in keys)]
            names += [keys_of(record).meta for record in records[:1]]
            words = [self._engine.clock_offset_ms, int(key is not None), len(keys)]
            seconds, micros, answer, *rest = await READ_DOCUMENTS(self._engine.client, names, words)
            found, tails = rest[: len(keys)], rest[len(keys) :]
            if tails and not tails[0]:
                records[0] = await self._channels.refresh(records[0].id)
                continue
            documents = {each: _document(row) for each, row in zip(keys, found, strict=True)}
            tail = _tail(records[0], tails[0]) if tails else None
            loaded = Loaded(self._now_us(seconds, micros), documents, tail, {record.id: record for record in records})
            return Found(loaded, self._kept(key, answer) if key and answer else None)
        raise Unavailable("The channel is being changed by others", retry_after_s=1)

    async def page(
        self,
        partition: int,
        kind: str,
        index: str,
        *,
        lowest: str = "-inf",
        highest: str = "+inf",
        skip: int = 0,
        limit: int = 100,
        is_descending: bool = False,
        log: ChannelRecord | None = None,
        most_bytes: int = MOST_PAGE_BYTES,
    ) -> Page:
        """Documents of a kind by an index, with scores within bounds (as ZRANGEBYSCORE has them), and a log's tail.

        Raises `TooLarge` where they are more than `most_bytes` together.
        """
        own = index_key(partition, index)
        answer = await LIST_DOCUMENTS(
            self._engine.client,
            [own, keys_of(log).meta if log else own],
            [
                self._engine.clock_offset_ms,
                state_key(partition, kind, ""),
                lowest,
                highest,
                skip,
                limit,
                int(is_descending),
                most_bytes,
            ],
        )
        if answer == b"large":
            raise TooLarge(f"This page would be over {most_bytes} bytes: ask for fewer at a time")
        seconds, micros, total, meta, *rows = answer
        found = zip(rows[::3], rows[1::3], rows[2::3], strict=True)
        documents = [(member.decode(), Document(int(version), body)) for member, version, body in found]
        return Page(self._now_us(seconds, micros), total, documents, _tail(log, meta) if log and meta else None)

    def _answer_keys(self, partition: int, key: IdempotencyKey | None) -> tuple[str, str]:
        unused = partition_keys(partition).floor
        return (unused, unused) if key is None else answer_keys(partition, key.row)

    def _now_us(self, seconds: bytes, micros: bytes) -> int:
        return int(seconds) * 1_000_000 + int(micros) + self._engine.clock_offset_ms * 1000

    def _kept(self, key: IdempotencyKey, answer: list[bytes]) -> Kept:
        digest, status, log, last, is_sealed, body = answer
        shown: bytes | None = body
        # The body of another request than this one's stays sealed.
        if is_sealed == b"1":
            shown = self._sealer.open(key, body) if body and digest.decode() == key.body else None
        channel_id, _, letters = log.decode().partition(" ")
        cursor = render_ulid(letters, parse_position(last)) if last else None
        return Kept(digest.decode(), int(status), shown, channel_id or None, cursor)


def _document(row: list[bytes]) -> Document | None:
    version, body, lines = row
    # Lines of three: an index's name, the member, its score.
    indexes = tuple(name.decode() for name in lines.split(b"\n")[:-1:3])
    return None if version == b"0" else Document(int(version), body, indexes)


def _tail(record: ChannelRecord, meta: list[Any]) -> Tail:
    position = Position(int(meta[0]), int(meta[1]))
    return Tail(record.id, render_ulid(record.tag_letters, position))
