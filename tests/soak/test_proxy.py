"""The proxy passes everything on, and does each kind of harm on demand."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from soak.proxy import Proxy, Streams, tcp_proxy
from tests.soak.test_frames import message


async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that says back what it hears."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def behind_proxy() -> AsyncIterator[tuple[Proxy, Streams]]:
    server = await asyncio.start_server(repeat, "127.0.0.1", 0)
    async with server, tcp_proxy(server.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.url.split(":"))
        try:
            yield proxy, (reader, writer)
        finally:
            writer.transport.abort()


async def test_everything_passes_in_order() -> None:
    async with behind_proxy() as (_, (reader, writer)):
        sent = b"".join(b"%d," % number for number in range(50_000))
        writer.write(sent)
        assert await asyncio.wait_for(reader.readexactly(len(sent)), 10) == sent


async def test_a_hole_keeps_what_comes_and_gives_it_on_afterwards() -> None:
    async with behind_proxy() as (proxy, (reader, writer)):
        proxy.is_hole = True
        writer.write(b"late")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(10), 0.1)
        proxy.is_hole = False
        assert await asyncio.wait_for(reader.readexactly(4), 10) == b"late"


async def test_a_cut_resets_and_the_next_connection_is_served() -> None:
    async with behind_proxy() as (proxy, (reader, writer)):
        writer.write(b"x")
        await reader.readexactly(1)
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            if not await asyncio.wait_for(reader.read(1), 10):
                raise ConnectionResetError
        again, more = await asyncio.open_connection(*proxy.url.split(":"))
        more.write(b"again")
        assert await asyncio.wait_for(again.readexactly(5), 10) == b"again"
        more.transport.abort()


async def test_answers_are_held_for_a_while() -> None:
    async with behind_proxy() as (proxy, (reader, writer)):
        proxy.delay_s = 0.2
        begun = time.monotonic()
        for _ in range(10):
            writer.write(b"x")
            await reader.readexactly(1)
        assert time.monotonic() - begun > 0.2


async def test_messages_of_a_subscriber_are_lost_and_only_these() -> None:
    async with behind_proxy() as (proxy, (reader, writer)):
        proxy.drop_share = 1.0
        writer.write(b"+SSUBSCRIBE\r\n")
        await reader.readexactly(13)
        writer.write(message(b"lost") + b"+PONG\r\n" + message(b"lost too") + b":1\r\n")
        assert await asyncio.wait_for(reader.readexactly(11), 10) == b"+PONG\r\n:1\r\n"
        assert proxy.dropped == 2


async def test_who_subscribes_to_nothing_loses_nothing() -> None:
    async with behind_proxy() as (proxy, (reader, writer)):
        proxy.drop_share = 1.0
        writer.write(message(b"kept"))
        assert await asyncio.wait_for(reader.readexactly(len(message(b"kept"))), 10) == message(b"kept")


async def test_a_server_that_is_away_is_told_by_a_reset() -> None:
    async with tcp_proxy(1) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.url.split(":"))
        with pytest.raises(ConnectionResetError):
            if not await asyncio.wait_for(reader.read(1), 10):
                raise ConnectionResetError
        writer.close()
