"""The storage of one broker process on a real engine, without a server before it, and the short words tests need."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from broker.channel_changes import ChannelLimits, apply_patch
from broker.channels import ChannelRecord, NewChannel
from broker.events import Draft, Frame, Stored, store
from broker.followers import Followers
from broker.ids import Cursor, Position, parse_ulid
from broker.sealing import Sealer
from broker.storage.appender import Ack, Appended, Appender, Idempotency, Retention
from broker.storage.channels import Channels
from broker.storage.commit import Commits
from broker.storage.connect import each_node
from broker.storage.endpoints import Endpoints
from broker.storage.engine import Engine, open_engine
from broker.storage.feeds import open_feed
from broker.storage.log import Log
from broker.storage.retention import Trimmer, Wait
from broker.storage.state import Reader
from broker.strictjson import render_json

KEPT = Retention(days=7, events=10_000, idempotency_ttl_s=86_400)
WAIT_MS = 86_400_000
SEALER = Sealer(b"the secret of the tests, 32 bytes")


@dataclass(slots=True)
class Store:
    """One process's engine, channels, log, trimmer and commits."""

    engine: Engine
    channels: Channels
    appender: Appender
    log: Log
    trimmer: Trimmer
    reader: Reader
    commits: Commits

    async def create(self, channel_id: str = "news", *, is_public: bool = True, **config: Any) -> ChannelRecord:
        """A new channel; further arguments are its `config.storage`."""
        new = NewChannel(channel_id, channel_id, is_public=is_public, config={"storage": config} if config else None)
        return await self.channels.create(new)

    async def change(self, channel: ChannelRecord, **fields: Any) -> ChannelRecord:
        """The channel's record after a patch."""
        return await self.channels.change(channel.id, lambda record: apply_patch(record, fields, ChannelLimits()))

    async def publish(
        self,
        channel: ChannelRecord,
        *data: Any,
        kind: str | None = None,
        publisher: str | None = "ann",
        reply_to: Cursor | None = None,
        key: str | None = None,
    ) -> Appended:
        """Append these data as one publish; `key` is an Idempotency-Key, and `data` its body."""
        events = [event(channel, value, kind=kind, publisher=publisher, reply_to=reply_to) for value in data]
        return await self.log.append(channel, events, Idempotency(key, repr(data)) if key else None)

    async def all(self, channel: ChannelRecord) -> list[Frame]:
        """Every event of the log, read in pages."""
        frames, place, more = [], channel.start, True
        while more:
            page = await self.log.after(channel, place, limit=1_000)
            frames += page.frames
            place, more = page.scanned or place, page.more
        return frames

    async def keys(self) -> list[str]:
        """Every key of the engine, sorted."""
        nodes = await each_node(self.engine.client)
        return sorted([key.decode() for node in nodes async for key in node.scan_iter(count=1_000)])


def event(
    channel: ChannelRecord,
    data: Any,
    *,
    kind: str | None = None,
    publisher: str | None = "ann",
    reply_to: Cursor | None = None,
) -> Stored:
    """An event as a publish makes it."""
    return store(Draft(kind, data, render_json(data), None, reply_to), channel.id, publisher, None)


def data_of(frames: list[Frame]) -> list[Any]:
    """The data of each frame."""
    return [json.loads(frame.wire)["data"] for frame in frames]


def cursor_of(channel: ChannelRecord, position: Position) -> Cursor:
    """The cursor that names this position of the channel."""
    return Cursor(position.ms, channel.tag, position.seq)


def ids_of(frames: list[Frame]) -> list[Cursor]:
    """The id of each frame, parsed."""
    return [parse_ulid(frame.id) for frame in frames]


@asynccontextmanager
async def open_store(
    url: str, *, retention: Retention = KEPT, most: int = 1_000, ack: Ack | None = None, **options: Any
) -> AsyncIterator[Store]:
    """A process's storage on the engine at this URL."""
    engine = await open_engine(url, **options)
    channels, appender = Channels(engine, most=most), Appender(engine, retention, ack)
    reader = Reader(engine, channels, SEALER)
    wait = Wait(Followers(Endpoints(engine), reader).read, WAIT_MS)
    trimmer = Trimmer(engine, channels, retention, wait, interval_s=0.05)
    try:
        commits = Commits(engine, channels, reader, SEALER, retention, ack)
        yield Store(engine, channels, appender, Log(engine, appender), trimmer, reader, commits)
    finally:
        await appender.drained()
        await engine.close()


@asynccontextmanager
async def running(*loops: Coroutine[None, None, None]) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run these beside the block, and cancel them after it; one that ended by itself fails the test."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield tasks
        assert not [task for task in tasks if task.done()], "a loop has ended"
    finally:
        # More than once: redis-py can lose a cancellation.
        while pending := [task for task in tasks if not task.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=0.2)


@asynccontextmanager
async def listening(url: str, *topics: str) -> AsyncIterator["asyncio.Queue[bytes]"]:
    """What the feed carries on these topics."""
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    feed = open_feed(url, reply_timeout_s=2.0)
    feed.listen(lambda _, payload: queue.put_nowait(payload), lambda _: None)
    async with running(feed.run()):
        for topic in topics:
            await feed.watch(topic)
        yield queue
