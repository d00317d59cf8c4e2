"""The steps of `docs/operations.md` for an upgrade and for going back, with clients at work and processes of two trees.

Nothing is released yet: the new version is a copy of the tree with another version string (`tests/trees.py`).
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx2

from broker.storage.engine import FORMAT
from handlers.openapi import VERSION
from soak.proxy import Proxy, Streams, serving_proxy
from tests.engines import WHEEL
from tests.external_engine import external_engine
from tests.receivers import receiving
from tests.serve_process import ServeProcess, refused_start, serving
from tests.trees import copied_tree
from tidemark_client import AsyncClient, Event
from tidemark_client.ways import TRANSPORTS, Transport

NEW = "0.2.0-rehearsal"
NEWER_FORMAT = "99"
OPEN = {"TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]'}
DUE_S = 3.0
PATIENCE_S = 60.0
SOME = 15


def in_its_place(server: ServeProcess, environ: dict[str, str]) -> ServeProcess:
    """Another version for the data, port and signing key of a server."""
    return ServeProcess(server.data, server.port, environ, server.signing_key)


def version_of(server: ServeProcess) -> str:
    """What runs, as it says itself."""
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        return str(client.get("/openapi.json").raise_for_status().json()["info"]["version"])


class Reading:
    """A reader by the client, from a cursor on: what it was given, and the gaps that it was told of."""

    def __init__(self, url: str, token: str, cursor: str, transports: tuple[Transport, ...] = TRANSPORTS) -> None:
        self.given: list[tuple[str, Any]] = []
        self.gaps: list[Any] = []
        self._ask = (url, token, cursor, transports)
        self._more = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled."""
        url, token, cursor, transports = self._ask
        async with (
            AsyncClient(url, token=token) as client,
            client.follow("news", cursor=cursor, transports=transports, on_gap=self.gaps.append) as follower,
        ):
            async for event in follower:
                self._take(event)

    def _take(self, event: Event) -> None:
        self.given.append((event.id, event.data))
        self._more.set()

    async def has(self, number: int) -> None:
        """Return once it was given so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.given) < number:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def at_work(*works: Any) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Coroutines that go on meanwhile. Fails where one of them did."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [
        each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, asyncio.CancelledError)
    ]
    assert not failed, failed


def in_a_moment() -> str:
    return (datetime.now(UTC) + timedelta(seconds=DUE_S)).isoformat()


def schedule(server: ServeProcess, hook: str) -> None:
    """A publish and a call that fall due `DUE_S` after each was asked for."""
    key = server.run("key", "--data", str(server.data), "--tenant", "acme", "--scope", "cuey").stdout.strip()
    later = {"data": "due", "publish_at": in_a_moment()}
    assert server.ask("POST", "/channels/news/events", json=later).status_code == 202
    body = {"webhook_url": hook, "scheduled_at": in_a_moment(), "payload": {"due": True}}
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        answer = client.post("/api/v1/events", json=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 201, answer.text


async def test_one_machine_stopped_copied_upgraded_and_taken_back_loses_nothing(tmp_path: Path) -> None:
    newer = copied_tree(tmp_path / "newer", version=NEW)
    async with AsyncExitStack() as stack:
        hooks = await stack.enter_async_context(receiving())
        old = stack.enter_context(serving(tmp_path / "data", OPEN))
        assert version_of(old) == VERSION
        old.create("news")
        start = old.tip("news")
        reading = Reading(old.url, old.token("admin"), start)
        await stack.enter_async_context(at_work(reading.run()))
        await asyncio.to_thread(old.publish, "news", "before")
        await reading.has(1)
        await asyncio.to_thread(schedule, old, hooks.url)
        due = asyncio.get_running_loop().time() + DUE_S

        assert await asyncio.to_thread(old.stop) == 0
        shutil.copytree(old.data, tmp_path / "backup", ignore=shutil.ignore_patterns("*.sock", "lock"))
        # What is due comes to be due while nothing runs.
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

        new = in_its_place(old, {**OPEN, **newer})
        stack.callback(new.end)
        await asyncio.to_thread(new.start)
        assert version_of(new) == NEW
        await reading.has(2)
        await hooks.heard(1, PATIENCE_S)
        await asyncio.to_thread(new.publish, "news", "upgraded")
        await reading.has(3)

        assert await asyncio.to_thread(new.stop) == 0
        await asyncio.to_thread(old.start)
        assert version_of(old) == VERSION, "the older version starts from the data of the newer"
        await asyncio.to_thread(old.publish, "news", "back")
        await reading.has(4)
        everything = [(event["id"], event["data"]) for event in await asyncio.to_thread(old.events, "news", start)]
        assert reading.given == everything and reading.gaps == []
        assert [data for _, data in everything] == ["before", "due", "upgraded", "back"]
        assert len(hooks.requests) == 1, "the call was made once"

    with serving(tmp_path / "backup") as restored:
        found = [event["data"] for event in await asyncio.to_thread(restored.events, "news", start)]
        assert found[0] == "before" and not {"upgraded", "back"} & set(found), "what came after the copy is gone"


@asynccontextmanager
async def balancer(*ports: int) -> AsyncIterator[str]:
    """A proxy that gives each connection to the next broker that takes it, as a balancer does; its URL."""
    turns = cycle(range(len(ports)))

    async def dial() -> Streams:
        first = next(turns)
        for port in (*ports[first:], *ports[:first]):
            with suppress(ConnectionRefusedError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionRefusedError

    proxy = Proxy(dial)
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    async with serving_proxy(proxy, server):
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Publishing:
    """A publisher by the client, without pauses; `acknowledged` are the ids of what it has published, in order."""

    def __init__(self, url: str, token: str, name: str) -> None:
        self.acknowledged: list[str] = []
        self.is_over = asyncio.Event()
        self._ask = (url, token, name)
        self._more = asyncio.Event()

    async def run(self) -> None:
        """Publish until it is over; what is begun is ended."""
        url, token, name = self._ask
        async with AsyncClient(url, token=token, patience_s=PATIENCE_S) as client:
            for number in count():
                if self.is_over.is_set():
                    return
                event = await client.publish("news", [name, number])
                self.acknowledged.append(event.id)
                self._more.set()

    async def goes_on(self) -> None:
        """Return once some more were acknowledged."""
        wanted = len(self.acknowledged) + SOME
        async with asyncio.timeout(PATIENCE_S):
            while len(self.acknowledged) < wanted:
                self._more.clear()
                await self._more.wait()


async def replaced(old: ServeProcess, new: ServeProcess) -> None:
    """One broker drained and another version of it started in its place."""
    assert await asyncio.to_thread(old.stop) == 0
    await asyncio.to_thread(new.start)
    assert version_of(new) == NEW


async def test_brokers_replaced_one_by_one_keep_every_publish_and_every_reader(tmp_path: Path) -> None:
    newer = copied_tree(tmp_path / "newer", version=NEW)
    async with AsyncExitStack() as stack:
        url = f"redis://127.0.0.1:{stack.enter_context(external_engine(tmp_path / 'engine', WHEEL))}/0"
        shared = {"TIDEMARK_ENGINE__URL": url, "TIDEMARK_LIMITS__CONNECTIONS_PER_TOKEN": "1000"}
        one = stack.enter_context(serving(tmp_path / "one", shared))
        two = stack.enter_context(serving(tmp_path / "two", shared, signing_key=one.signing_key))
        successors = [in_its_place(each, {**shared, **newer}) for each in (one, two)]
        for each in successors:
            stack.callback(each.end)
        one.create("news")
        start, token = one.tip("news"), one.token("admin")
        front = await stack.enter_async_context(balancer(one.port, two.port))
        publishers = [Publishing(front, token, name) for name in ("a", "b", "c")]
        ways: list[tuple[Transport, ...]] = [("ws",), ("sse",), ("poll",), TRANSPORTS]
        readers = [Reading(front, token, start, way) for way in ways]

        await stack.enter_async_context(at_work(*(reader.run() for reader in readers)))
        async with at_work(*(publisher.run() for publisher in publishers)) as publishing:
            for old, new in zip((one, two), successors, strict=True):
                await asyncio.gather(*(each.goes_on() for each in publishers))
                await replaced(old, new)
            await asyncio.gather(*(each.goes_on() for each in publishers))
            for publisher in publishers:
                publisher.is_over.set()
            await asyncio.wait_for(asyncio.gather(*publishing), PATIENCE_S)

        log = [(event["id"], event["data"]) for event in await asyncio.to_thread(successors[0].events, "news", start)]
        for publisher, name in zip(publishers, ("a", "b", "c"), strict=True):
            own = [(event_id, data[1]) for event_id, data in log if data[0] == name]
            assert own == list(zip(publisher.acknowledged, range(len(own)), strict=True))
        assert Counter(event_id for event_id, _ in log).most_common(1)[0][1] == 1
        for reader in readers:
            await reader.has(len(log))
            assert reader.given == log and reader.gaps == []


def test_data_of_a_newer_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    newer = copied_tree(tmp_path / "newer", version=NEW, stored_format=NEWER_FORMAT)
    with serving(tmp_path / "data", newer) as server:
        server.create("news")
        start = server.tip("news")
        ids = server.publish("news", 1, 2)
        server.stop()
        status, told = refused_start(tmp_path, "--port", "0", "--data", str(server.data))
        assert status == 1 and f"format {NEWER_FORMAT}, this Tidemark reads {FORMAT}" in told and "newer" in told
        server.start()
        assert [event["id"] for event in server.events("news", start)] == ids, "its own version goes on with it"
