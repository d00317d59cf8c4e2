"""A network that lets no WebSocket through, and perhaps holds streams back, as some proxies do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

NO_UPGRADE = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BadNetwork:
    """`url` is the server's through it; `upgrades` and `streams` count what was asked for."""

    def __init__(self, port: int, *, holds_streams: bool) -> None:
        self.url = ""
        self.upgrades = 0
        self.streams = 0
        self._port = port
        self._holds_streams = holds_streams

    async def take(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        server_in, server_out = await asyncio.open_connection("127.0.0.1", self._port)
        is_held = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(client_in, client_out, server_out, is_held))
                group.create_task(self._answer(server_in, client_out, is_held))
        except* (OSError, EOFError):
            pass
        finally:
            client_out.transport.abort()
            server_out.transport.abort()

    async def _ask(
        self,
        client_in: asyncio.StreamReader,
        client_out: asyncio.StreamWriter,
        server_out: asyncio.StreamWriter,
        is_held: asyncio.Event,
    ) -> None:
        while data := await client_in.read(65_536):
            if b"upgrade: websocket" in data.lower():
                self.upgrades += 1
                client_out.write(NO_UPGRADE)
                await client_out.drain()
                raise EOFError
            if b"/sse" in data.split(b"\r\n", 1)[0]:
                self.streams += 1
                if self._holds_streams:
                    is_held.set()
            server_out.write(data)
            await server_out.drain()
        raise EOFError

    async def _answer(
        self, server_in: asyncio.StreamReader, client_out: asyncio.StreamWriter, is_held: asyncio.Event
    ) -> None:
        while data := await server_in.read(65_536):
            if not is_held.is_set():
                client_out.write(data)
                await client_out.drain()
        raise EOFError


@asynccontextmanager
async def bad_network(port: int, *, holds_streams: bool = False) -> AsyncIterator[BadNetwork]:
    """Such a network before 127.0.0.1:`port`."""
    network = BadNetwork(port, holds_streams=holds_streams)
    tasks: set[asyncio.Task[None]] = set()

    async def take(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await network.take(client_in, client_out)
        tasks.discard(task)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    network.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield network
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
