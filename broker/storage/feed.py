"""The live feed: one subscribing connection a process, made again whenever it breaks.

Pub/sub is the fast path, the log is the truth: a message may be lost, and whoever listens must be able to find that out
(`previous` of the next message, or the position check). Sharded pub/sub, so that it works on a Cluster too.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from broker.errors import Unavailable
from broker.ids import Position, parse_position
from broker.storage.connect import connect

RECONNECT_S = (0.05, 2.0)
PING_S = 1.0
SILENCE_S = 2.5
"""Longer than a ping and its answer take, or the connection is given up."""

logger = logging.getLogger(__name__)


class FeedEvent(NamedTuple):
    """One event of a feed message."""

    position: Position
    type_json: bytes | None
    tail: bytes


class FeedMessage(NamedTuple):
    """What the log says happened: `previous` and `last` position, `revision`, and the events between where sent."""

    previous: Position
    last: Position
    revision: int
    events: list[FeedEvent]


def parse_feed(payload: bytes) -> FeedMessage | None:
    """Read a message as `append.lua` writes it; None says that the channel was deleted."""
    if payload == b"deleted":
        return None
    head, *lines = payload.split(b"\n")
    previous, last, revision = head.split(b" ")
    events = []
    for place, tail in zip(lines[:-1:2], lines[1::2], strict=True):
        position, _, type_json = place.partition(b" ")
        events.append(FeedEvent(parse_position(position), type_json or None, tail))
    return FeedMessage(parse_position(previous), parse_position(last), int(revision), events)


class Feed:
    """Topics in, messages out. `last_heard` is when the engine last answered here, by the monotonic clock."""

    def __init__(self, url: str, *, reply_timeout_s: float) -> None:
        self._client = connect(url, connect_timeout_s=reply_timeout_s, reply_timeout_s=reply_timeout_s, connections=1)
        self._reply_timeout_s = reply_timeout_s
        self._on_message: Callable[[str, bytes], None] | None = None
        self._on_connected: Callable[[], None] | None = None
        self._connection: AbstractConnection | None = None
        self._topics: dict[str, asyncio.Future[None]] = {}
        self.last_heard = time.monotonic()

    @property
    def is_live(self) -> bool:
        """Whether messages come: there is a connection, and the engine answered on it lately."""
        return self._connection is not None and time.monotonic() - self.last_heard < SILENCE_S

    def listen(self, on_message: Callable[[str, bytes], None], on_connected: Callable[[], None]) -> None:
        """Say who takes the messages, and who is told of each new connection."""
        self._on_message = on_message
        self._on_connected = on_connected

    async def watch(self, topic: str) -> None:
        """Subscribe, and return when the engine has acknowledged it; raises `Unavailable` when it does not in time."""
        acknowledged = self._topics.get(topic)
        if acknowledged is None:
            acknowledged = self._topics[topic] = asyncio.get_running_loop().create_future()
            await self._send("SSUBSCRIBE", topic)
        try:
            await asyncio.wait_for(asyncio.shield(acknowledged), self._reply_timeout_s)
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
                try:
                    await self._connect()
                    pause = RECONNECT_S[0]
                    await self._read()
                except (RedisError, OSError, TimeoutError) as error:
                    logger.warning("live feed lost (%s), connecting again in %.2f s", type(error).__name__, pause)
                await self._disconnect()
                await asyncio.sleep(pause)
                pause = min(2 * pause, RECONNECT_S[1])
        finally:
            await self._disconnect()
            await self._client.aclose(close_connection_pool=True)

    async def _connect(self) -> None:
        connection: AbstractConnection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        # Plain arrays are simpler to read than pushes, and a subscribing connection gets nothing else.
        connection.protocol = 2
        await connection.connect()  # type: ignore[no-untyped-call]
        self._connection = connection
        for topic, acknowledged in list(self._topics.items()):
            if acknowledged.done():
                self._topics[topic] = asyncio.get_running_loop().create_future()
            await self._send("SSUBSCRIBE", topic)
        if self._on_connected is not None:
            self._on_connected()

    async def _read(self) -> None:
        pinged = False
        while (connection := self._connection) is not None:
            answer = await connection.read_response(timeout=PING_S)
            if answer is not None:
                pinged = False
                self.last_heard = time.monotonic()
                self._hear(answer)
            elif pinged:
                raise TimeoutError
            else:
                pinged = True
                await self._send("PING")

    def _hear(self, answer: list[bytes]) -> None:
        match answer:
            case [b"smessage", topic, payload] if self._on_message is not None:
                self._on_message(topic.decode(), payload)
            case [b"ssubscribe", topic, *_]:
                acknowledged = self._topics.get(topic.decode())
                if acknowledged is not None and not acknowledged.done():
                    acknowledged.set_result(None)

    async def _send(self, *command: str) -> None:
        if self._connection is not None:
            try:
                await self._connection.send_command(*command, check_health=False)
            except (RedisError, OSError):
                await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
