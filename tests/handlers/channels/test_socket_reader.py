"""What a socket costs at the tip, in figures that no noise moves (performance.md 13, guard figures)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from broker.events import Frame
from broker.ids import ORIGIN
from handlers.channels.socket_reader import frames_of_events
from handlers.serving.ws_protocol import SocketProtocol
from tests.broker_server import BrokerServer
from tests.serving_app import until

READERS = 8


class Counting:
    """A transport that counts its writes."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.writes = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def counted(server: BrokerServer) -> list[Counting]:
    """The transports of all sockets, counting from now on."""
    found = []
    for connection in server.running.server.server_state.connections:
        if isinstance(connection, SocketProtocol):
            transport: Any = Counting(connection.transport)
            connection.transport = transport
            found.append(transport)
    return found


@pytest.fixture
async def sockets(broker_server: BrokerServer) -> AsyncIterator[list[ClientConnection]]:
    """Clients of readers at the tip."""
    await broker_server.create("news")
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(broker_server.socket("/channels/news/ws")) for _ in range(READERS)]
        channel = await broker_server.broker.channels.find("news")
        await until(lambda: broker_server.broker.hub.readers(channel) == READERS)
        yield clients


async def test_an_idle_reader_has_no_task_and_no_coroutine(
    sockets: list[ClientConnection], broker_server: BrokerServer
) -> None:
    await until(lambda: not broker_server.running.server.server_state.tasks)
    assert not [task for task in asyncio.all_tasks() if "read-log" in task.get_name()]


async def test_a_batch_is_one_write_for_each_reader(
    sockets: list[ClientConnection], broker_server: BrokerServer
) -> None:
    transports = counted(broker_server)
    assert len(transports) == READERS
    # Who comes back to the tip takes the writes that are counted.
    for subscription in next(iter(broker_server.broker.hub._watched.values())).readers:
        subscription.leave_tip()
        subscription.wake()
    events = await broker_server.publish("news", *range(20))
    for client in sockets:
        assert [json.loads(await client.recv()) for _ in events] == events
    assert [transport.writes for transport in transports] == [1] * READERS


async def test_an_event_is_framed_once_for_all_readers(
    sockets: list[ClientConnection], broker_server: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    framed: list[int] = []

    def counting(texts: list[bytes]) -> bytes:
        framed.append(len(texts))
        return b"".join(b"\x81" + bytes([126]) + len(text).to_bytes(2, "big") + text for text in texts)

    monkeypatch.setattr("handlers.channels.socket_reader.text_frames", counting)
    [event] = await broker_server.publish("news", "x" * 100)
    for client in sockets:
        assert json.loads(await client.recv()) == event
    assert framed == [1]


def test_the_frames_of_events_are_their_wire_forms() -> None:
    events = [Frame(ORIGIN, "", None, b"abc"), Frame(ORIGIN, "", None, b"d" * 300)]
    assert frames_of_events(events) == b"\x81\x03abc" + b"\x81\x7e\x01\x2c" + b"d" * 300
