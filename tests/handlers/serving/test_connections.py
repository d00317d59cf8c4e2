"""Connections at their limits, on real sockets: who is let in, what the others are told, and how sockets are set."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack

from websockets.asyncio.client import connect

from handlers.serving.limits import ServingLimits
from tests.handlers.serving.apps import EdgeApp, parse_answers
from tests.serving_app import Raw, Running, ask, handshake, raw_client, running_server, until

GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def admitted(stack: AsyncExitStack, running: Running) -> Raw:
    """A client that holds a place."""
    before = running.gate.admission.open
    client = await stack.enter_async_context(raw_client(running.port))
    await until(lambda: running.gate.admission.open != before)
    return client


async def status_of(running: Running) -> int:
    (answer,) = parse_answers(await ask(running.port, GET))
    if answer.status != 200:
        assert 1 <= int(answer.headers["retry-after"]) <= 5
        assert "error" in json.loads(answer.body)
    return answer.status


async def until_served(running: Running) -> None:
    async with asyncio.timeout(5):
        while await status_of(running) != 200:
            await asyncio.sleep(0.005)


async def test_one_more_than_the_process_holds_gets_503_until_one_leaves() -> None:
    async with running_server(EdgeApp(), ServingLimits(connections=3)) as running:
        async with AsyncExitStack() as stack:
            await admitted(stack, running)
            await admitted(stack, running)
            assert await status_of(running) == 200
            await until_left(running, 2)
            await admitted(stack, running)
            assert await status_of(running) == 503
            assert running.counts == {"connections_full": 1}
        await until_served(running)


async def test_one_more_than_an_address_may_gets_429_until_one_leaves() -> None:
    async with running_server(EdgeApp(), ServingLimits(connections_per_address=2)) as running:
        async with AsyncExitStack() as stack:
            await admitted(stack, running)
            await admitted(stack, running)
            assert await status_of(running) == 429
            assert running.counts == {"address_full": 1}
        await until_served(running)


async def until_left(running: Running, count: int) -> None:
    await until(lambda: running.gate.admission.open == count)


async def test_one_more_than_may_come_at_once_gets_503_and_a_later_one_is_served() -> None:
    limits = ServingLimits(connections_per_s=2, connection_burst=3)
    async with running_server(EdgeApp(), limits) as running:
        assert [await status_of(running) for _ in range(4)] == [200, 200, 200, 503]
        assert running.counts == {"connection_rate": 1}
        await asyncio.sleep(0.5)
        assert await status_of(running) == 200


async def test_a_socket_keeps_the_place_of_its_connection_and_gives_it_back() -> None:
    async with running_server(EdgeApp(), ServingLimits(connections=1)) as running:
        async with connect(f"{running.socket_url}/", proxy=None) as client:
            assert await status_of(running) == 503
            await client.send("hello")
            assert await client.recv() == "hello"
        await until_served(running)


async def test_those_that_are_denied_do_not_count_as_connections() -> None:
    async with running_server(EdgeApp(), ServingLimits(connections=1)) as running, AsyncExitStack() as stack:
        await admitted(stack, running)
        denied = [await stack.enter_async_context(raw_client(running.port)) for _ in range(5)]
        for client in denied:
            assert (await client.reader.readline()).startswith(b"HTTP/1.1 503")
        assert running.gate.admission.open == 1


async def test_one_that_is_denied_while_it_sends_much_can_read_why() -> None:
    async with running_server(EdgeApp(), ServingLimits(connections=1)) as running, AsyncExitStack() as stack:
        await admitted(stack, running)
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
        (answer,) = parse_answers(await ask(running.port, head + b"x" * 900_000))
        assert answer.status == 503


async def test_one_that_is_denied_and_stays_is_closed() -> None:
    limits = ServingLimits(connections=1, linger_s=0.2)
    async with running_server(EdgeApp(), limits) as running, AsyncExitStack() as stack:
        await admitted(stack, running)
        client = await stack.enter_async_context(raw_client(running.port))
        assert len(parse_answers(await client.read_to_end())) == 1
        await until(lambda: not running.gate.admission.lingering)


async def test_a_flood_of_denied_ones_is_dropped_without_an_answer() -> None:
    limits = ServingLimits(connections=1, linger_s=8)
    async with running_server(EdgeApp(), limits) as running, AsyncExitStack() as stack:
        await admitted(stack, running)
        for _ in range(103):
            await stack.enter_async_context(raw_client(running.port))
        await until(lambda: running.counts.get("connections_full") == 103)
        assert running.counts == {"connections_full": 103, "dropped_unanswered": 3}
        assert running.gate.admission.lingering == 100


async def test_accepted_sockets_have_a_timeout_for_peers_that_acknowledge_nothing_and_a_bounded_send_buffer() -> None:
    limits = ServingLimits(write_stall_s=17, send_buffer_bytes=50_000, write_buffer_bytes=60_000)
    async with running_server(EdgeApp(), limits) as running, AsyncExitStack() as stack:
        await admitted(stack, running)
        client = await admitted(stack, running)
        await client.send(handshake())
        await client.reader.readuntil(b"\r\n\r\n")
        assert len(running.server.server_state.connections) == 2
        for connection in running.server.server_state.connections:
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 17_000
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 100_000, "the kernel doubles it"


async def test_a_thousand_connections_that_come_and_go_leave_nothing() -> None:
    limits = ServingLimits(connections_per_address=1_000, connections_per_s=10_000, connection_burst=10_000)
    async with running_server(EdgeApp(), limits) as running:
        for _ in range(10):
            await asyncio.gather(*(ask(running.port, GET) for _ in range(50)))
            async with AsyncExitStack() as stack:
                for _ in range(50):
                    await stack.enter_async_context(raw_client(running.port))
        await running.settled()
        assert running.counts == {}
