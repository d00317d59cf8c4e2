"""The channels and their records: create, find, change, delete, list.

Records are cached in the process. Every publish and page passes the version that it was decided on, and the scripts
answer when it is no longer that one, so a cached record is never acted on after it was changed elsewhere.
"""

import heapq
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from redis.asyncio import Redis

from broker.channels import ChannelRecord, NewChannel, render_record
from broker.cursors import LogMeta
from broker.errors import Conflict, NotFound, TooMany, Unavailable
from broker.ids import TAG_BITS, Position
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import LogKeys, log_keys, partition_keys, record_key
from broker.storage.scripts import CHANGE_CHANNEL, CREATE_CHANNEL, DELETE_CHANNEL, RAISE_FLOOR

NO_CHANNEL = "Channel not found"
META_FIELDS = ("start", "ms", "seq", "trimmed_ms", "trimmed_seq", "revision", "version", "count")
CACHED_RECORDS = 10_000
CHANGE_ATTEMPTS = 8

Decide = Callable[[ChannelRecord], ChannelRecord]


class Listed(NamedTuple):
    """A channel of the list, with what its log says of itself."""

    record: ChannelRecord
    meta: LogMeta


class Place(NamedTuple):
    """A place in the list of channels, which is ordered by creation time and id, newest first."""

    created_ms: int
    id: str


def parse_meta(fields: list[bytes]) -> LogMeta:
    """The meta of a log from its fields in the order of `META_FIELDS`."""
    start, ms, seq, trimmed_ms, trimmed_seq, revision, version, count = map(int, fields)
    return LogMeta(Position(start, 0), Position(ms, seq), Position(trimmed_ms, trimmed_seq), revision, version, count)


def keys_of(record: ChannelRecord) -> LogKeys:
    """The keys of this channel's log."""
    return log_keys(record.partition, record.id, record.tag)


class Channels:
    """All channels of an engine, as one process sees them."""

    def __init__(self, engine: Engine, *, most: int) -> None:
        self._engine = engine
        self._most_per_partition = max(1, most // engine.partitions)
        self._cache: OrderedDict[str, ChannelRecord] = OrderedDict()

    async def create(self, new: NewChannel) -> ChannelRecord:
        """Create a channel with an empty log; raises `Conflict` when it exists, `TooMany` when there are too many."""
        partition = self._engine.partition(new.id)
        tag = secrets.randbits(TAG_BITS)
        own, log = partition_keys(partition), log_keys(partition, new.id, tag)
        answer = await CREATE_CHANNEL(
            self._engine.client,
            [record_key(partition, new.id), log.meta, own.floor, own.channels, own.public_channels],
            [
                self._engine.clock_offset_ms,
                new.id,
                tag,
                orjson.dumps(render_record(new)),
                int(new.is_public),
                self._most_per_partition,
            ],
        )
        if answer == b"exists":
            raise Conflict("Channel already exists")
        if answer == b"full":
            raise TooMany("The server holds as many channels as it may")
        return self._remember(await self._load(new.id))

    async def find(self, channel_id: str) -> ChannelRecord:
        """The channel's record, from the cache or the engine; raises `NotFound`."""
        record = self._cache.get(channel_id)
        if record is None:
            return await self.refresh(channel_id)
        self._cache.move_to_end(channel_id)
        return record

    async def refresh(self, channel_id: str) -> ChannelRecord:
        """The channel's record as the engine has it now; raises `NotFound`."""
        self._cache.pop(channel_id, None)
        return self._remember(await self._load(channel_id))

    async def change(self, channel_id: str, decide: Decide) -> ChannelRecord:
        """Replace the record by what `decide` makes of it; decides again when another was faster.

        Raises what `decide` raises, with nothing written, `NotFound`, and `Unavailable`.
        """
        for _ in range(CHANGE_ATTEMPTS):
            record = await self.refresh(channel_id)
            changed = decide(record)
            if changed == record:
                return record
            answer = await self._write(record, changed)
            if answer == b"absent":
                raise NotFound(NO_CHANNEL)
            if answer == b"ok":
                return await self.refresh(channel_id)
        raise Unavailable("The channel is being changed by others", retry_after_s=1)

    async def delete(self, channel_id: str) -> None:
        """Delete the channel, its events and its endpoints; raises `NotFound`."""
        record = await self.refresh(channel_id)
        own, log = partition_keys(record.partition), keys_of(record)
        answer = await DELETE_CHANNEL(
            self._engine.client,
            [
                record_key(record.partition, channel_id),
                *log[:4],
                own.floor,
                own.channels,
                own.public_channels,
                own.trims,
            ],
            [channel_id, record.tag, log.topic],
        )
        self._cache.pop(channel_id, None)
        if answer == b"absent":
            raise NotFound(NO_CHANNEL)

    async def page(self, *, public_only: bool, limit: int, before: Place | None) -> list[Listed]:
        """Up to `limit` channels created before a place, newest first; those deleted meanwhile are left out."""
        pipeline = self._engine.client.pipeline(transaction=False)
        highest = "+inf" if before is None else before.created_ms
        for number in range(self._engine.partitions):
            keys = partition_keys(number)
            index = keys.public_channels if public_only else keys.channels
            pipeline.zrevrangebyscore(index, highest, "-inf", start=0, num=limit + 1, withscores=True)
        places = (
            Place(int(score), member.decode()) for part in await answered(pipeline.execute()) for member, score in part
        )
        chosen = heapq.nlargest(limit, (place for place in places if before is None or place < before))
        return await self._listed([place.id for place in chosen])

    async def listed(self, channel_id: str) -> Listed:
        """One channel with what its log says of itself, read now; raises `NotFound`."""
        found = await self._listed([channel_id])
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

    async def _listed(self, ids: list[str]) -> list[Listed]:
        pipeline = self._engine.client.pipeline(transaction=False)
        for channel_id in ids:
            pipeline.hgetall(record_key(self._engine.partition(channel_id), channel_id))
        answers = await answered(pipeline.execute()) if ids else []
        records = [self._parse(channel_id, fields) for channel_id, fields in zip(ids, answers, strict=True) if fields]
        metas = await self.metas(records)
        return [Listed(record, meta) for record, meta in zip(records, metas, strict=True) if meta is not None]

    async def _load(self, channel_id: str) -> ChannelRecord:
        key = record_key(self._engine.partition(channel_id), channel_id)
        fields = await answered(self._engine.client.hgetall(key))
        if not fields:
            raise NotFound(NO_CHANNEL)
        return self._parse(channel_id, fields)

    async def _write(self, record: ChannelRecord, changed: ChannelRecord) -> bytes:
        own, log = partition_keys(record.partition), keys_of(record)
        document = orjson.dumps(render_record(changed))
        answer: bytes = await CHANGE_CHANNEL(
            self._engine.client,
            [record_key(record.partition, record.id), log.meta, own.public_channels, own.trims],
            [record.id, record.version, document, int(changed.is_public), log.topic, record.tag],
        )
        return answer

    def _parse(self, channel_id: str, fields: dict[bytes, bytes]) -> ChannelRecord:
        document: dict[str, Any] = orjson.loads(fields[b"document"])
        document["tags"] = tuple(document["tags"])
        return ChannelRecord(
            **document,
            tag=int(fields[b"tag"]),
            partition=self._engine.partition(channel_id),
            created_ms=int(fields[b"created_ms"]),
            version=int(fields[b"version"]),
        )

    def _remember(self, record: ChannelRecord) -> ChannelRecord:
        self._cache[record.id] = record
        self._cache.move_to_end(record.id)
        if len(self._cache) > CACHED_RECORDS:
            self._cache.popitem(last=False)
        return record
