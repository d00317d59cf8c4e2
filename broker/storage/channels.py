"""The channels and their records: create, find, change, delete.

Records are cached in the process, for those who pass the version that they decided on to a script, as publishes and
pages do: it answers when it is no longer that one. Whoever passes no version takes the record as it is now (`refresh`).
So a record is never acted on after it was changed elsewhere.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from redis.asyncio import Redis

from broker.channels import ChannelRecord, NewChannel, record_of, render_record
from broker.cursors import LogMeta
from broker.errors import Conflict, NotFound, TooMany, Unavailable
from broker.ids import TAG_BITS, Position, render_tag
from broker.listing import member_of
from broker.scopes import is_reserved
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.homes import Homes
from broker.storage.keys import LogKeys, log_keys, partition_keys, record_key
from broker.storage.scripts import CHANGE_CHANNEL, CREATE_CHANNEL, DELETE_CHANNEL, RAISE_FLOOR, Keep
from broker.storage.turns import Turns
from broker.strictjson import parse_stored, render_json
from broker.tenants import owner_of

NO_CHANNEL = "Channel not found"
META_FIELDS = ("start", "ms", "seq", "trimmed_ms", "trimmed_seq", "revision", "version", "count", "largest")
CACHED_RECORDS = 10_000
CHANGE_ATTEMPTS = 8

Decide = Callable[[ChannelRecord], ChannelRecord]


class Listed(NamedTuple):
    """A channel with what its log says of itself, read now; `record_bytes` is how long the record is as JSON."""

    record: ChannelRecord
    meta: LogMeta
    record_bytes: int


def parse_meta(fields: list[bytes]) -> LogMeta:
    """The meta of a log from its fields in the order of `META_FIELDS`."""
    start, ms, seq, trimmed_ms, trimmed_seq, *others = map(int, fields)
    return LogMeta(Position(start, 0), Position(ms, seq), Position(trimmed_ms, trimmed_seq), *others)


def keys_of(record: ChannelRecord) -> LogKeys:
    """The keys of this channel's log."""
    return log_keys(record.partition, record.id, record.tag)


def _parse(channel_id: str, partition: int, fields: dict[bytes, bytes]) -> ChannelRecord:
    document: dict[str, Any] = parse_stored(fields[b"document"])
    document["tags"] = tuple(document["tags"])
    return ChannelRecord(
        **document,
        tag=int(fields[b"tag"]),
        partition=partition,
        created_ms=int(fields[b"created_ms"]),
        version=int(fields[b"version"]),
    )


class Channels:
    """All channels of an engine, as one process sees them; at most `most`, not counting reserved ones.

    The bound is exact for one process; several that create at the same moment may go over it by as many. `hits` and
    `misses` tell how often a record was wanted and cached, or not.
    """

    def __init__(self, engine: Engine, *, most: int) -> None:
        self._engine = engine
        self._homes = Homes(engine)
        self._most = most
        self._cache: OrderedDict[str, ChannelRecord] = OrderedDict()
        self.hits = self.misses = 0
        self._creating = asyncio.Lock()
        self._turns = Turns()

    def partition(self, channel_id: str) -> int:
        """Where a channel lives whose name is not claimed by a tenant (`storage.homes`), whether it is there or not."""
        return self._engine.partition(owner_of(channel_id))

    async def create(self, new: NewChannel, keep: Keep | None = None) -> ChannelRecord:
        """Create a channel with an empty log; raises `Conflict` when it exists, `TooMany` when there are too many.

        With `keep`, an answer is kept in the same step; raises `Answered` where that was done before.
        """
        tag, [partition] = secrets.randbits(TAG_BITS), await self._homes.find([new.id])
        own, log = partition_keys(partition), log_keys(partition, new.id, tag)
        is_listed = not is_reserved(new.id)
        async with self._creating:
            has_room = not is_listed or await self.count() < self._most
            answer: bytes = await CREATE_CHANNEL.once(
                self._engine.client,
                [record_key(partition, new.id), log.meta, own.floor, own.channels, own.public_channels],
                [
                    self._engine.clock_offset_ms,
                    new.id,
                    tag,
                    render_tag(tag),
                    render_json(render_record(new)),
                    int(has_room),
                    int(is_listed),
                    int(is_listed and new.is_public),
                ],
                keep,
            )
        if answer == b"exists":
            raise Conflict("Channel already exists")
        if answer == b"full":
            raise TooMany("The server holds as many channels as it may")
        return self._remember(record_of(new, tag=tag, partition=partition, created_ms=int(answer)))

    async def count(self) -> int:
        """How many channels there are, reserved ones not counted."""
        pipeline = self._engine.client.pipeline(transaction=False)
        for number in range(self._engine.partitions):
            pipeline.zcard(partition_keys(number).channels)
        return sum(await answered(pipeline.execute()))

    async def find(self, channel_id: str) -> ChannelRecord:
        """The channel's record, perhaps an old one: for those who pass its version on. Raises `NotFound`."""
        record = self._cache.get(channel_id)
        self.hits += record is not None
        self.misses += record is None
        if record is None:
            return await self.refresh(channel_id)
        self._cache.move_to_end(channel_id)
        return record

    async def ensure(self, new: NewChannel) -> ChannelRecord:
        """The channel's record, perhaps an old one; it is made where it is not there yet, as the first use finds it."""
        try:
            return await self.find(new.id)
        except NotFound:
            pass
        try:
            return await self.create(new)
        except Conflict:
            return await self.refresh(new.id)

    async def refresh(self, channel_id: str) -> ChannelRecord:
        """The channel's record as the engine has it now; raises `NotFound`."""
        try:
            return self._remember(await self._load(channel_id))
        except NotFound:
            self._cache.pop(channel_id, None)
            raise

    def forget(self, channel_id: str) -> None:
        """Have the record read anew when it is wanted next."""
        self._cache.pop(channel_id, None)

    async def change(
        self, channel_id: str, decide: Decide, keep: Callable[[ChannelRecord], Keep | None] = lambda _: None
    ) -> ChannelRecord:
        """Replace the record by what `decide` makes of it; decides again when another process was faster.

        `keep` gives the answer to keep for what was decided. Raises `NotFound`, `Unavailable`, `Answered`, and what
        `decide` raises. Deciding for the same record writes nothing, no answer either.
        """
        async with self._turns.of(channel_id):
            for _ in range(CHANGE_ATTEMPTS):
                record = await self.refresh(channel_id)
                changed = decide(record)
                # Compared as JSON, because to Python 1, 1.0 and True are equal.
                document = render_json(render_record(changed))
                if document == render_json(render_record(record)):
                    return record
                if await self._write(record, document, keep(changed), is_public=changed.is_public):
                    return self._remember(replace(changed, version=record.version + 1))
        raise Unavailable("The channel is being changed by others", retry_after_s=1)

    async def delete(self, channel_id: str, keep: Keep | None = None) -> None:
        """Delete the channel, its events and its endpoints, and keep an answer; raises `NotFound`, `Answered`."""
        await self.delete_this(await self.refresh(channel_id), keep)

    async def delete_this(self, record: ChannelRecord, keep: Keep | None = None) -> None:
        """The same for the very channel of this record: not one that was made under its name since."""
        own, log = partition_keys(record.partition), keys_of(record)
        answer = await DELETE_CHANNEL.once(
            self._engine.client,
            [
                record_key(record.partition, record.id),
                *log[:4],
                own.floor,
                own.channels,
                own.public_channels,
                own.trims,
            ],
            [record.id, record.tag, log.topic, member_of(record)],
            keep,
        )
        self._cache.pop(record.id, None)
        if answer == b"absent":
            raise NotFound(NO_CHANNEL)

    async def listed(self, channel_id: str) -> Listed:
        """One channel with what its log says of itself, read now; raises `NotFound`."""
        found = await self.load([channel_id])
        if not found:
            raise NotFound(NO_CHANNEL)
        return found[0]

    async def metas(self, records: list[ChannelRecord]) -> list[LogMeta | None]:
        """What the logs of these channels say of themselves, None for a log that is gone."""
        return await self._metas(self._engine.client, records)

    async def check(self, records: list[ChannelRecord]) -> list[LogMeta | None]:
        """The same as `metas`, over the connections that no crowd of readers can use up."""
        return await self._metas(self._engine.steady, records)

    async def raise_floor(self, partition: int, seen: Position) -> None:
        """See to it that what is published in a partition from now on lies above an id that readers have seen."""
        await RAISE_FLOOR(self._engine.steady, [partition_keys(partition).floor], [seen.ms + 1])

    async def _metas(self, client: Redis, records: list[ChannelRecord]) -> list[LogMeta | None]:
        pipeline = client.pipeline(transaction=False)
        for record in records:
            pipeline.hmget(keys_of(record).meta, META_FIELDS)
        answers = await answered(pipeline.execute()) if records else []
        return [parse_meta(fields) if fields[0] is not None else None for fields in answers]

    async def load(self, ids: list[str]) -> list[Listed]:
        """These channels in this order, those that there are, with what their logs say of themselves."""
        pipeline = self._engine.client.pipeline(transaction=False)
        homes = await self._homes.find(ids)
        for channel_id, partition in zip(ids, homes, strict=True):
            pipeline.hgetall(record_key(partition, channel_id))
        answers = await answered(pipeline.execute()) if ids else []
        found = [each for each in zip(ids, homes, answers, strict=True) if each[2]]
        records = [_parse(*each) for each in found]
        metas = await self.metas(records)
        return [
            Listed(record, meta, len(fields[b"document"]))
            for record, meta, (_, _, fields) in zip(records, metas, found, strict=True)
            if meta is not None
        ]

    async def _load(self, channel_id: str) -> ChannelRecord:
        [partition] = await self._homes.find([channel_id])
        key = record_key(partition, channel_id)
        fields = await answered(self._engine.client.hgetall(key))
        if not fields:
            raise NotFound(NO_CHANNEL)
        return _parse(channel_id, partition, fields)

    async def _write(self, record: ChannelRecord, document: bytes, keep: Keep | None, *, is_public: bool) -> bool:
        """True when it was written, False when the record is no longer that one."""
        own, log = partition_keys(record.partition), keys_of(record)
        in_public_list = is_public and not is_reserved(record.id)
        answer: bytes = await CHANGE_CHANNEL.once(
            self._engine.client,
            [record_key(record.partition, record.id), log.meta, own.public_channels, own.trims],
            [record.id, record.tag, record.version, document, int(in_public_list), log.topic, member_of(record)],
            keep,
        )
        return answer == b"ok"

    def _remember(self, record: ChannelRecord) -> ChannelRecord:
        self._cache[record.id] = record
        self._cache.move_to_end(record.id)
        if len(self._cache) > CACHED_RECORDS:
            self._cache.popitem(last=False)
        return record
