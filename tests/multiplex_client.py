"""A client of `/api/v1/ws` that holds every message against the AsyncAPI document that the server serves."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jsonschema_rs
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from handlers.asyncapi import render_asyncapi
from handlers.channels.connections import CONNECTIONS
from tests.broker_server import BrokerServer
from tests.serving_app import lazy_socket

PATIENCE_S = 15.0
LAZY_BYTES = 65_536
PAYLOADS = {
    name: jsonschema_rs.validator_for(message["payload"], validate_formats=True)
    for name, message in render_asyncapi(CONNECTIONS, "")["components"]["messages"].items()
}
COMMANDS = ("subscribe", "unsubscribe", "publish", "token")

Json = dict[str, Any]


def name_of(message: Json) -> str:
    """The name of a message in the document: an event is known by its id, others by the member beside `ref`."""
    if "id" in message:
        return "event"
    [name] = set(message) - {"ref"}
    return name


class Multiplexed:
    """One socket. What comes while an answer is awaited is kept: events by channel, and everything else in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: defaultdict[str, list[Json]] = defaultdict(list)
        self.told: list[Json] = []
        self._refs = itertools.count(1)

    async def say(self, **command: Any) -> None:
        """Send a command; a good one matches the document."""
        for name in COMMANDS:
            if name in command:
                PAYLOADS[name].validate(command)
        await self.socket.send(json.dumps(command))

    async def hear(self) -> Json:
        """The next message, checked and filed."""
        text = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        message: Json = json.loads(text)
        PAYLOADS[name_of(message)].validate(message)
        if "id" in message:
            self.events[message["channel_id"]].append(message)
        else:
            self.told.append(message)
        return message

    async def ask(self, **command: Any) -> Json:
        """The answer to a command."""
        ref = next(self._refs)
        await self.say(ref=ref, **command)
        while True:
            message = await self.hear()
            if message.get("ref") == ref:
                return message

    async def subscribe(self, channel: str, **members: Any) -> Json:
        """Follow a channel; what the acknowledgement says."""
        answer = await self.ask(subscribe={"channel": channel, **members})
        assert "subscribed" in answer, answer
        said: Json = answer["subscribed"]
        return said

    async def publish(self, channel: str, **members: Any) -> Json:
        """Publish; what the acknowledgement says."""
        answer = await self.ask(publish={"channel": channel, **members})
        assert "published" in answer, answer
        said: Json = answer["published"]
        return said

    async def refused(self, **command: Any) -> tuple[int, str]:
        """The status and the text of a command's refusal; the command may be a wrong one."""
        await self.socket.send(json.dumps(command))
        message = await self.until("error")
        return message["error"]["status"], message["error"]["error"]

    async def until(self, name: str) -> Json:
        """The next message of this name."""
        while True:
            message = await self.hear()
            if name_of(message) == name:
                return message

    async def take(self, channel: str, count: int) -> list[Json]:
        """The next events of a channel; events of other channels are kept."""
        while len(self.events[channel]) < count:
            await self.hear()
        taken, self.events[channel] = self.events[channel][:count], self.events[channel][count:]
        return taken

    async def closed(self) -> tuple[int, str]:
        """Hear everything until the close; its code and reason."""
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                await self.hear()
        frame = caught.value.rcvd
        assert frame is not None, "closed without a close frame"
        return frame.code, frame.reason


@asynccontextmanager
async def multiplexed(
    server: BrokerServer, token: str | None = None, path: str = "/ws", **options: Any
) -> AsyncIterator[Multiplexed]:
    """A socket on `/api/v1/ws`."""
    async with server.socket(path, token=token, max_size=None, **options) as socket:
        yield Multiplexed(socket)


@asynccontextmanager
async def lazily_multiplexed(server: BrokerServer, token: str | None = None) -> AsyncIterator[Multiplexed]:
    """A socket whose client takes little from the network unless the test takes it from there."""
    sock = await lazy_socket(server.port, LAZY_BYTES)
    async with multiplexed(server, token, sock=sock, max_queue=1, ping_interval=None, close_timeout=0.5) as many:
        yield many
