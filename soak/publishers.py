"""Publishers: each publishes one thing after the other, and each until it is acknowledged, always with the same key.

Over HTTP or `/api/v1/ws`, single events and batches, on either broker. When an answer is lost the outcome is unknown,
and only the key keeps the next try, here or there, from storing it twice. Now and then one does not wait for an answer.
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect

from soak.history import History, Publish
from soak.stage import API, Broker, Stage
from soak.ways import ANSWER_S, BROKEN, FOR_NOW, PAUSE_S, http_client, options_of

TYPES = ("red", "green", None)
LAST = "last"
IMPATIENT_SHARE = 0.02
OTHER_WAY_SHARE = 0.2
BATCH_EVENTS = 5
MEAN_BYTES = 200


class Publisher:
    """One publisher. `is_over` tells it to begin nothing more."""

    def __init__(
        self, name: str, stage: Stage, history: History, channels: Sequence[str], chance: random.Random, mean_s: float
    ) -> None:
        self.is_over = False
        self._name = name
        self._stage = stage
        self._history = history
        self._channels = channels
        self._chance = chance
        self._mean_s = mean_s
        self._count = 0
        self._ways: tuple[HttpWay, SocketWay] = (HttpWay(stage, history), SocketWay(stage, history))

    async def run(self) -> None:
        """Publish until it is over."""
        try:
            while not self.is_over:
                await self.publish(self._chance.choice(self._channels))
                await asyncio.sleep(self._chance.uniform(0, 2 * self._mean_s))
        finally:
            for way in self._ways:
                await way.close()

    async def publish(self, channel: str, kind: str | None = None) -> None:
        """Publish one event or a batch until it is acknowledged; one of the type `kind` where that is given."""
        size = 1 if kind else self._chance.choice((1, 1, self._chance.randint(2, BATCH_EVENTS)))
        events = [(f"{self._name}-{self._count + i}", kind or self._chance.choice(TYPES)) for i in range(size)]
        self._count += size
        publish = Publish(self._name, channel, tuple(events), time.monotonic())
        self._history.publishes.append(publish)
        pad = "." * min(20_000, int(self._chance.expovariate(1 / MEAN_BYTES)))
        broker, way = self._chance.choice(self._stage.brokers), self._usual_way()
        while True:
            publish.tries += 1
            ids = await self._try(way, broker, publish, pad)
            if ids is not None:
                publish.ids, publish.acked_s = tuple(ids), time.monotonic()
                return
            broker, way = self._chance.choice(self._stage.brokers), self._usual_way()
            await asyncio.sleep(self._chance.uniform(0, 2 * PAUSE_S))

    async def _try(self, way: "HttpWay | SocketWay", broker: Broker, publish: Publish, pad: str) -> list[str] | None:
        patience_s = self._chance.uniform(0, 0.01) if self._chance.random() < IMPATIENT_SHARE else ANSWER_S
        with suppress(*BROKEN):
            async with asyncio.timeout(patience_s):
                return await way.send(broker, publish, pad)
        await way.close()
        return None

    def _usual_way(self) -> "HttpWay | SocketWay":
        usual = int(self._name[-1], 36) % 2
        return self._ways[1 - usual if self._chance.random() < OTHER_WAY_SHARE else usual]


class HttpWay:
    """`POST .../events` with an Idempotency-Key, on one connection to each broker."""

    def __init__(self, stage: Stage, history: History) -> None:
        self._stage = stage
        self._history = history
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def send(self, broker: Broker, publish: Publish, pad: str) -> list[str] | None:
        """The ids; None for a refusal that passes."""
        client = self._clients.get(broker.url)
        if client is None:
            client = self._clients[broker.url] = http_client(self._stage, broker.url)
        path, key = f"{API}/channels/{publish.channel}/events", publish.events[0][0]
        answer = await client.post(path, json=body_of(publish, pad), headers={"Idempotency-Key": key})
        if answer.status_code == 201:
            told = answer.json()
            return [event["id"] for event in told.get("events", [told])]
        if answer.status_code not in FOR_NOW:
            self._history.remarks.append(f"a publish was answered {answer.status_code} {answer.text[:200]}")
        return None

    async def close(self) -> None:
        """Leave every connection, whatever is under way on it."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()


class SocketWay:
    """`publish` with a `key` on `/api/v1/ws`, on one socket at a time."""

    def __init__(self, stage: Stage, history: History) -> None:
        self._stage = stage
        self._history = history
        self._stack = AsyncExitStack()
        self._socket: ClientConnection | None = None
        self._broker = ""

    async def send(self, broker: Broker, publish: Publish, pad: str) -> list[str] | None:
        """The ids; None for a refusal that passes."""
        if self._socket is None or self._broker != broker.url:
            await self.close()
            url = f"{broker.socket_url}{API}/ws"
            self._socket = await self._stack.enter_async_context(connect(url, **options_of(self._stage)))
            self._broker = broker.url
        key = publish.events[0][0]
        command = {"channel": publish.channel, "key": key, **body_of(publish, pad)}
        await self._socket.send(json.dumps({"ref": key, "publish": command}))
        while True:
            told = orjson.loads(await self._socket.recv())
            if told.get("ref") == key:
                return self._ids(told)

    def _ids(self, told: Any) -> list[str] | None:
        if "published" in told:
            return [str(event_id) for event_id in told["published"]["ids"]]
        if told.get("error", {}).get("status") not in FOR_NOW:
            self._history.remarks.append(f"a publish was answered {told}")
        return None

    async def close(self) -> None:
        """Leave the socket."""
        stack, self._stack, self._socket = self._stack, AsyncExitStack(), None
        with suppress(*BROKEN):
            await stack.aclose()


def body_of(publish: Publish, pad: str) -> dict[str, Any]:
    """The body of a publish: one event, or a batch."""
    drafts = [
        {"data": {"name": name, "pad": pad}, **({} if kind is None else {"type": kind})}
        for name, kind in publish.events
    ]
    return drafts[0] if len(drafts) == 1 else {"events": drafts}
