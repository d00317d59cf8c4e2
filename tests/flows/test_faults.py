"""Promises 1, 2 and 3 under faults: brokers and engines killed while many publish and many read at every door."""

import asyncio
import itertools
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil  # type: ignore[import-untyped]
import pytest

from tests.flows.readers import BROKEN, PAUSE_S, Door, Event, Reader, by_events, by_poll, by_socket
from tests.serve_process import API, ServeProcess, serving

PUBLISHERS = 3
DOORS: tuple[Door, ...] = (by_socket, by_events, by_poll)
SETTINGS = {
    # With everysec a killed engine loses what it answered while the disk was busy syncing.
    "TIDEMARK_ENGINE__FSYNC": "always",
    "TIDEMARK_ENGINE__REPLY_TIMEOUT_S": "2",
    "TIDEMARK_CHANNELS__RETENTION_EVENTS": "100000",
}
LAST = "last"


class Publisher:
    """Publishes small batches one after the other; each is sent until it is acknowledged, always with the same key."""

    def __init__(self, server: ServeProcess, chance: random.Random, name: str, acked: list[Event]) -> None:
        self._server = server
        self._chance = chance
        self._name = name
        self._acked = acked
        self._count = 0
        self.is_over = False

    async def run(self) -> None:
        async with httpx2.AsyncClient(base_url=self._server.url, trust_env=False, timeout=10) as http:
            while not self.is_over:
                await self.publish(http, self._chance.randint(1, 4))
                await asyncio.sleep(3 * PAUSE_S * self._chance.random())

    async def publish(self, http: httpx2.AsyncClient, size: int, kind: str | None = None) -> None:
        numbers = [self._count + i for i in range(size)]
        self._count += size
        batch = [{"type": kind or f"t{n % 2}", "data": [self._name, n]} for n in numbers]
        headers = {**self._server.bearer("pub:news"), "Idempotency-Key": f"{self._name}-{numbers[0]}"}
        before = self._acked[-1]["id"] if self._acked else ""
        events = await self._until_acked(http, {"events": batch}, headers)
        assert [event["data"] for event in events] == [event["data"] for event in batch]
        assert events[0]["id"] > before, "what was acknowledged before this began lies before it"
        self._acked += events
        self._acked.sort(key=lambda event: event["id"])

    async def _until_acked(self, http: httpx2.AsyncClient, body: Any, headers: dict[str, str]) -> list[Event]:
        path = f"{API}/channels/news/events"
        while True:
            try:
                if self._chance.random() < 0.1:
                    # Nobody waits for this answer: the event may be stored, and only the key tells the next try so.
                    await abandon(http.build_request("POST", path, json=body, headers=headers))
                answer = await http.post(path, json=body, headers=headers)
            except BROKEN:
                await asyncio.sleep(PAUSE_S)
                continue
            if answer.status_code == 201:
                events: list[Event] = answer.json()["events"]
                return events
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(PAUSE_S)


async def abandon(request: httpx2.Request) -> None:
    """Send a request and go."""
    _, writer = await asyncio.open_connection("127.0.0.1", request.url.port)
    lines = [f"POST {request.url.path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + request.content)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def kill_broker(server: ServeProcess) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def restart_broker(server: ServeProcess) -> None:
    assert await asyncio.to_thread(server.stop) == 0
    await asyncio.to_thread(server.start)


async def kill_engine(server: ServeProcess) -> None:
    for engine in psutil.Process(server.process.pid).children():
        os.kill(engine.pid, signal.SIGKILL)


async def kill_both(server: ServeProcess) -> None:
    await kill_engine(server)
    await kill_broker(server)


@asynccontextmanager
async def publishing(server: ServeProcess, seed: int, acked: list[Event]) -> AsyncIterator[None]:
    """Publishers that go on until the block ends, then publish the last event."""
    publishers = [Publisher(server, random.Random(f"{seed} {i}"), f"p{i}", acked) for i in range(PUBLISHERS)]
    async with asyncio.TaskGroup() as group:
        for publisher in publishers:
            group.create_task(publisher.run())
        yield
        for publisher in publishers:
            publisher.is_over = True
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False, timeout=10) as http:
        await publishers[0].publish(http, 1, LAST)


async def chaos(server: ServeProcess, chance: random.Random) -> None:
    faults = [kill_broker, kill_engine, kill_broker, kill_engine, kill_both, restart_broker]
    chance.shuffle(faults)
    for fault in faults:
        await asyncio.sleep(chance.uniform(0.1, 0.8))
        await fault(server)


def is_last(event: Event) -> bool:
    return bool(event["type"] == LAST)


@pytest.mark.timeout(180)
async def test_under_kills_each_acknowledged_event_is_in_the_log_once_and_each_reader_saw_the_log(
    tmp_path: Path,
) -> None:
    seed = random.getrandbits(32)
    chance = random.Random(seed)
    acked: list[Event] = []
    readers: list[Reader] = []
    with serving(tmp_path / "data", SETTINGS) as server:
        server.create("news")
        start = server.tip("news")
        async with asyncio.TaskGroup() as reading:

            def add_readers() -> None:
                cursor = acked[-1]["id"] if acked else start
                for door, types in itertools.product(DOORS, (None, f"t1,{LAST}")):
                    reader = Reader(server, random.Random(f"{seed} {len(readers)}"), cursor, types)
                    readers.append(reader)
                    reading.create_task(reader.read(door, is_last))

            async with publishing(server, seed, acked):
                add_readers()
                await chaos(server, chance)
                add_readers()
                await asyncio.sleep(0.3)
        log = server.events("news", start)
    told = f"seed {seed}, {len(log)} events"
    ids = [event["id"] for event in log]
    assert ids == sorted(set(ids)), told
    assert log == acked, f"{told}: the log is what was acknowledged, once each"
    for reader in readers:
        wanted = [event for event in log if event["id"] > reader.start and wants(reader, event)]
        assert reader.seen == wanted, f"{told}: {reader.query}"


def wants(reader: Reader, event: Event) -> bool:
    return reader.types is None or event["type"] in reader.types.split(",")
