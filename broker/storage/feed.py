"""The live feed: one subscribing connection to a server, made again whenever it breaks.

Pub/sub is the fast path, the log is the truth: a message may be lost, and whoever listens must be able to find that out
(`previous` of the next message, or the position check). Sharded pub/sub: on a cluster there is such a feed for each
node (`broker.storage.cluster.feed`), and a node says which topics it serves no longer.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Collection, Iterator
from itertools import groupby
from typing import NamedTuple

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import MovedError, RedisError

from broker.errors import Unavailable
from broker.ids import Position, parse_position
from broker.storage.cluster.slots import slot_of_key
from broker.storage.connect import connect
from broker.storage.losses import is_lost

RECONNECT_S = (0.05, 2.0)
PING_S = 1.0
SILENCE_S = 2.5
"""Longer than a ping and its answer take, or the connection is given up."""

TOPICS_A_COMMAND = 500
SEPARATOR = b"\xff"
EVENT_WORDS = 4
"""Type, publisher, what it replies to, tail."""

_REPLICATION_ID = re.compile(rb"master_replid:([0-9a-f]+)")

logger = logging.getLogger(__name__)


class FeedEvent(NamedTuple):
    """One event of a feed message."""

    position: Position
    type_json: bytes | None
    tail: bytes


class FeedMessage(NamedTuple):
    """What the log says happened: the events after `previous` up to `last`, in order, or none where they are not sent.

    `trimmed`, `revision` and `version` (of the record) are the log's after that; a message without events and with
    `previous` equal to `last` tells of a change of one of these.
    """

    previous: Position
    last: Position
    trimmed: Position
    revision: int
    version: int
    events: list[FeedEvent]


class Connected(NamedTuple):
    """Topics, None for all, whose messages come from now on over a new connection: what came before may be missed.

    `is_other` says that the server was restarted since, or is another one, and may have lost what it had told.
    """

    is_other: bool
    topics: Collection[str] | None = None


def parse_feed(payload: bytes) -> FeedMessage | None:
    """Read a message as `lua/parts/log.lua` describes it; None says that the channel was deleted."""
    if payload == b"deleted":
        return None
    head, _, lines = payload.partition(b"\n")
    previous, top, trimmed, revision, version = head.split(b" ")
    words, last = lines.split(SEPARATOR) if lines else [], parse_position(top)
    before = last.seq - len(words) // EVENT_WORDS + 1
    events = [
        FeedEvent(Position(last.ms, before + i), kind or None, tail)
        for i, (kind, tail) in enumerate(zip(words[::EVENT_WORDS], words[EVENT_WORDS - 1 :: EVENT_WORDS], strict=True))
    ]
    return FeedMessage(parse_position(previous), last, parse_position(trimmed), int(revision), int(version), events)


def _parse_epoch(facts: bytes) -> str:
    match = _REPLICATION_ID.search(facts)
    return match[1].decode() if match else ""


class Feed:
    """Topics in, messages out. One task runs it; `watch` and `unwatch` may be called by any in the same loop.

    `on_strays` is told of topics that this node of a cluster no longer serves; they are no longer watched then.
    """

    def __init__(
        self, url: str, *, reply_timeout_s: float, on_strays: Callable[[list[str]], None] | None = None
    ) -> None:
        self._client = connect(url, connect_timeout_s=reply_timeout_s, reply_timeout_s=reply_timeout_s, connections=1)
        self._reply_timeout_s = reply_timeout_s
        self._on_message: Callable[[str, bytes], None] | None = None
        self._on_connected: Callable[[Connected], None] | None = None
        self._on_strays = on_strays
        self._connection: AbstractConnection | None = None
        self._is_confirmed = False
        self._epoch = ""
        self._is_other = False
        # Topics wanted, each with what is done when the engine has acknowledged it on the present connection (True), or
        # serves it no longer (False), and how many acknowledgements are under way: a topic given up and wanted again
        # waits for the last of them.
        self._topics: dict[str, asyncio.Future[bool]] = {}
        self._expected: dict[str, int] = {}
        self._heard_at = time.monotonic()

    @property
    def is_live(self) -> bool:
        """Whether messages come: every topic is acknowledged on this connection, and the engine answered lately."""
        return self._is_confirmed and time.monotonic() - self._heard_at < SILENCE_S

    def hears(self, _topic: str) -> bool:
        """Whether messages of this topic come: here as good as any."""
        return self.is_live

    def listen(self, on_message: Callable[[str, bytes], None], on_connected: Callable[[Connected], None]) -> None:
        """Say who takes the messages, and who is told when all topics are acknowledged on a new connection."""
        self._on_message = on_message
        self._on_connected = on_connected

    async def watch(self, *topics: str) -> bool:
        """Subscribe, and return when the engine has acknowledged it; raises `Unavailable` when it does not in time.

        False, of one of them, where this node of a cluster serves it no longer.
        """
        loop = asyncio.get_running_loop()
        new = [topic for topic in topics if topic not in self._topics]
        self._topics |= {topic: loop.create_future() for topic in new}
        acknowledged = [self._topics[topic] for topic in topics]
        await self._subscribe(new)
        try:
            async with asyncio.timeout(self._reply_timeout_s):
                return all([await asyncio.shield(each) for each in acknowledged])
        except TimeoutError:
            raise Unavailable("The live feed is not connected", retry_after_s=1) from None

    async def unwatch(self, topic: str) -> None:
        """Stop listening; messages under way may still come."""
        if self._topics.pop(topic, None) is not None:
            await self._send("SUNSUBSCRIBE", topic)

    async def run(self) -> None:
        """Keep the connection up and read from it, until cancelled."""
        pause = RECONNECT_S[0]
        try:
            while True:
                begun = time.monotonic()
                try:
                    await self._connect()
                    await self._read()
                except Exception as error:
                    if is_lost(error) or isinstance(error, RedisError):
                        logger.warning("live feed lost (%s), connecting again", type(error).__name__)
                    else:
                        logger.exception("live feed lost by a defect, connecting again")
                await self._disconnect()
                pause = RECONNECT_S[0] if self._heard_at > begun else min(2 * pause, RECONNECT_S[1])
                await asyncio.sleep(pause)
        finally:
            await self._disconnect()
            await self._client.aclose(close_connection_pool=True)

    async def _connect(self) -> None:
        connection: AbstractConnection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        # Plain arrays are simpler to read than pushes, and a subscribing connection gets nothing else.
        connection.protocol = 2
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_command("INFO", "replication", check_health=False)
        epoch = _parse_epoch(await connection.read_response())
        self._is_other = self._is_other or self._epoch not in ("", epoch)
        self._epoch = epoch
        self._connection = connection
        await self._subscribe(list(self._topics))
        # Answered after all that was sent before it.
        await self._send("PING")

    async def _read(self) -> None:
        pinged = True
        while (connection := self._connection) is not None:
            try:
                answer = await connection.read_response(timeout=PING_S)
            except MovedError as error:
                # The answer to a SSUBSCRIBE: all its topics are of one slot.
                self._stray([topic for topic in self._topics if slot_of_key(topic) == error.slot_id])
                continue
            if answer is not None:
                pinged = False
                self._heard_at = time.monotonic()
                self._hear(answer)
            elif pinged:
                raise TimeoutError
            else:
                pinged = True
                await self._send("PING")

    def _hear(self, answer: list[bytes] | bytes) -> None:
        match answer:
            case [b"smessage", topic, payload] if self._on_message is not None:
                self._on_message(topic.decode(), payload)
            case [b"ssubscribe", topic, *_]:
                self._acknowledge(topic.decode())
            case [b"sunsubscribe", topic, *_] if self._is_settled(topic.decode()):
                # Not asked for: the slot has moved to another node.
                self._stray([topic.decode()])
            case b"PONG" | [b"pong", *_] if not self._is_confirmed:
                self._is_confirmed = True
                is_other, self._is_other = self._is_other, False
                if self._on_connected is not None:
                    self._on_connected(Connected(is_other))

    def _is_settled(self, topic: str) -> bool:
        """Whether the topic is wanted, and no answer to its subscribing is under way."""
        return topic in self._topics and topic not in self._expected

    def _stray(self, topics: list[str]) -> None:
        """The topics are another node's now."""
        for topic in topics:
            self._expected.pop(topic, None)
            acknowledged = self._topics.pop(topic)
            if not acknowledged.done():
                acknowledged.set_result(False)
        if self._on_strays is not None:
            self._on_strays(topics)

    def _acknowledge(self, topic: str) -> None:
        left = self._expected.pop(topic, 1) - 1
        if left:
            self._expected[topic] = left
            return
        acknowledged = self._topics.get(topic)
        if acknowledged is not None and not acknowledged.done():
            acknowledged.set_result(True)

    async def _subscribe(self, topics: list[str]) -> None:
        for some in _commands_of(topics):
            wanted = [topic for topic in some if topic in self._topics]
            if wanted and self._connection is not None:
                for topic in wanted:
                    self._expected[topic] = self._expected.get(topic, 0) + 1
                await self._send("SSUBSCRIBE", *wanted)

    async def _send(self, *command: str) -> None:
        connection = self._connection
        # One that broke is the reading side's to replace: here redis-py would connect it anew, without its topics.
        if connection is None or not connection.is_connected:
            return
        try:
            await connection.send_command(*command, check_health=False)
        except Exception as error:
            # redis-py raises AttributeError when the reading side has closed it in the meantime.
            if not (is_lost(error) or isinstance(error, RedisError | AttributeError)):
                raise
            await connection.disconnect(nowait=True)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._is_confirmed = False
        self._expected.clear()
        for topic, acknowledged in self._topics.items():
            if acknowledged.done():
                self._topics[topic] = asyncio.get_running_loop().create_future()
        if connection is not None:
            await connection.disconnect(nowait=True)


def _commands_of(topics: list[str]) -> Iterator[list[str]]:
    """The topics in portions of one slot each, which is what a cluster takes."""
    for _, group in groupby(sorted(topics, key=_tag), key=_tag):
        some = list(group)
        for i in range(0, len(some), TOPICS_A_COMMAND):
            yield some[i : i + TOPICS_A_COMMAND]


def _tag(topic: str) -> str:
    return topic.partition("}")[0]
