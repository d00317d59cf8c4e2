"""A proxy that delays answers, swallows everything, cuts, or drops messages: network faults of reliability.md B.

It stands before an engine or a broker, on a TCP port or a unix socket, and knows nothing of what it passes on but the
messages of an engine's pub/sub.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from soak.fates import Fate
from soak.frames import MessageFilter

CHUNK_BYTES = 65_536
BACKLOG = 2_048
SUBSCRIBES = b"SSUBSCRIBE"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Streams]]


class Proxy:
    """Passes bytes on between its clients and the server that `dial` reaches.

    `delay_s` is the longest an answer is held; order within a connection is kept. While `is_hole` nothing passes and
    nothing is lost: what came meanwhile is passed on afterwards, as by a network that recovers. `drop_share` is the
    share of pub/sub messages that are lost; `dropped` counts them. Each connection has a fate of its own besides: those
    of the open ones are `fates`, a new one is given what `new_fate` makes. Whoever makes it says in `url` where it
    listens.
    """

    def __init__(self, dial: Dial) -> None:
        self.url = ""
        self.delay_s = 0.0
        self.drop_share = 0.0
        self.dropped = 0
        self.fates: set[Fate] = set()
        self.new_fate: Callable[[], Fate] = Fate
        self._dial = dial
        self._is_over = False
        self._open_again = asyncio.Event()
        self._open_again.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_hole(self) -> bool:
        """Whether everything is swallowed."""
        return not self._open_again.is_set()

    @is_hole.setter
    def is_hole(self, value: bool) -> None:
        if value:
            self._open_again.clear()
        else:
            self._open_again.set()

    def cut(self) -> None:
        """Reset every connection; new ones are accepted."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def take(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs is in a task
        self._tasks.add(task)
        try:
            server_in, server_out = await self._dial()
        except OSError:
            client_out.transport.abort()
            self._tasks.discard(task)
            return
        self._writers |= {client_out, server_out}
        if self._is_over:
            self.cut()
        feed = MessageFilter(self._is_dropped)
        is_feed = asyncio.Event()
        fate = self.new_fate()
        self.fates.add(fate)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_questions(client_in, server_out, is_feed, fate))
                group.create_task(self._pass_answers(server_in, client_out, partial(_passed, feed, is_feed), fate))
        except* OSError:
            pass
        finally:
            self.fates.discard(fate)
            for writer in (client_out, server_out):
                writer.transport.abort()
                self._writers.discard(writer)
            self._tasks.discard(task)

    async def end(self) -> None:
        """Cut, and wait until nothing runs."""
        self._is_over = True
        self.is_hole = False
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_dropped(self) -> bool:
        is_dropped = random.random() < self.drop_share
        self.dropped += is_dropped
        return is_dropped

    async def _pass_questions(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, is_feed: asyncio.Event, fate: Fate
    ) -> None:
        while data := await source.read(CHUNK_BYTES):
            if fate.is_stalled:
                continue
            if not is_feed.is_set() and SUBSCRIBES in data:
                is_feed.set()
            await self._give(sink, data)
        raise ConnectionResetError

    async def _pass_answers(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, passed: Callable[[bytes], bytes], fate: Fate
    ) -> None:
        while data := await source.read(CHUNK_BYTES):
            if self.delay_s:
                await asyncio.sleep(random.uniform(0, self.delay_s))
            await self._give(sink, fate.take(passed(data)))
            if fate.is_over:
                break
        raise ConnectionResetError

    async def _give(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        await self._open_again.wait()
        if sink.transport.is_closing():
            raise ConnectionResetError
        sink.write(data)
        await sink.drain()


def _passed(feed: MessageFilter, is_feed: asyncio.Event, data: bytes) -> bytes:
    # A client subscribes when it has read all answers before, so that a stream of whole answers begins here.
    return feed.take(data) if is_feed.is_set() else data


@asynccontextmanager
async def tcp_proxy(port: int) -> AsyncIterator[Proxy]:
    """A proxy before 127.0.0.1:`port` until the block ends; its `url` is a host and a port."""
    proxy = Proxy(lambda: asyncio.open_connection("127.0.0.1", port))
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0, backlog=BACKLOG)
    proxy.url = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with serving_proxy(proxy, server):
        yield proxy


@asynccontextmanager
async def serving_proxy(proxy: Proxy, server: asyncio.Server) -> AsyncIterator[None]:
    """Serve until the block ends, then leave nothing open."""
    try:
        yield
    finally:
        server.close()
        await proxy.end()
