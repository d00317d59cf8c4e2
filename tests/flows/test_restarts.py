"""The broker and its engine killed and started again: what was acknowledged is there, and readers go on (promise 2)."""

import asyncio
import json
import os
import signal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from broker.storage.embedded import EmbeddedEngine
from tests.engines import wait_for_end
from tests.serve_process import ServeProcess

PATIENCE_S = 40.0


async def take(socket: ClientConnection, count: int) -> list[Any]:
    """The data of the next events."""
    return [json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))["data"] for _ in range(count)]


async def until_ready(server: ServeProcess) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(server.is_ready):
            await asyncio.sleep(0.02)


async def follow(server: ServeProcess, cursor: str, most: int) -> list[tuple[str, Any]]:
    """Ids and data of the next `most` events, on as many connections as it takes."""
    taken: list[tuple[str, Any]] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(taken) < most:
            try:
                async with server.socket("news", cursor=cursor) as socket:
                    while len(taken) < most:
                        event = json.loads(await socket.recv())
                        cursor = event["id"]
                        taken.append((cursor, event["data"]))
            except (ConnectionClosed, InvalidHandshake, OSError):
                await asyncio.sleep(0.02)
    return taken


def test_all_that_was_acknowledged_is_there_after_the_broker_was_killed(server: ServeProcess) -> None:
    server.create("news")
    start = server.tip("news")
    ids = [event_id for i in range(20) for event_id in server.publish("news", *range(i * 5, i * 5 + 5))]
    server.kill()
    server.start()
    assert [(event["id"], event["data"]) for event in server.events("news", start)] == list(
        zip(ids, range(100), strict=True)
    )
    assert server.publish("news", "after")[0] > ids[-1]


async def test_a_reader_resumes_by_its_cursor_after_the_broker_was_killed(server: ServeProcess) -> None:
    server.create("news")
    start = server.tip("news")
    reading = asyncio.create_task(follow(server, start, 60))
    ids = await asyncio.to_thread(server.publish, "news", *range(30))
    server.kill()
    await asyncio.to_thread(server.start)
    ids += await asyncio.to_thread(server.publish, "news", *range(30, 60))
    assert await reading == list(zip(ids, range(60), strict=True))


def test_a_killed_broker_leaves_no_engine_behind_and_frees_its_data(server: ServeProcess) -> None:
    engine_pid = server.engine_pid
    server.kill()
    wait_for_end(engine_pid)
    with EmbeddedEngine(server.data):
        pass


async def test_a_killed_engine_comes_back_with_all_that_was_acknowledged(durable_server: ServeProcess) -> None:
    server = durable_server
    server.create("news")
    start = server.tip("news")
    async with server.socket("news") as socket:
        ids = await asyncio.to_thread(server.publish, "news", *range(50))
        assert await take(socket, 50) == list(range(50))
        killed = server.engine_pid
        os.kill(killed, signal.SIGKILL)
        wait_for_end(killed)
        await until_ready(server)
        assert server.engine_pid != killed
        ids += await asyncio.to_thread(server.publish, "news", "after")
        assert await take(socket, 1) == ["after"], "the same socket goes on"
    assert [event["id"] for event in server.events("news", start)] == ids


async def test_a_log_that_lost_its_end_tells_its_readers_and_goes_on_above_what_they_saw(
    durable_server: ServeProcess,
) -> None:
    """As after a power loss with everysec: a cursor above the log's end is a gap (design, ids)."""
    server = durable_server
    server.create("news")
    kept = server.publish("news", *range(5))
    [log] = (server.data / "appendonlydir").glob("*.incr.aof")
    size = log.stat().st_size
    lost = server.publish("news", *range(5))
    assert server.stop() == 0
    os.truncate(log, size)
    server.start()
    page = server.ask("GET", f"/channels/news/events?cursor={lost[-1]}").json()
    assert (page["complete"], page["cursor"]) == (False, kept[-1])
    async with server.socket("news", cursor=lost[-1]) as socket:
        with pytest.raises(ConnectionClosed) as caught:
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4410, f"cursor expired; cursor={kept[-1]}")
    with server.spawn("tail", "news", "--json", "--cursor", lost[-1]) as tail:
        assert tail.stdout is not None and tail.stderr is not None
        assert "There is a gap" in tail.stderr.readline()
        [after] = await asyncio.to_thread(server.publish, "news", "after")
        assert after > lost[-1]
        assert json.loads(tail.stdout.readline())["id"] == after
        tail.kill()


async def test_publishes_into_a_dying_engine_are_kept_or_refused_and_readers_miss_none(
    durable_server: ServeProcess,
) -> None:
    server = durable_server
    server.create("news")
    start = server.tip("news")
    acked: list[str] = []

    async def publish() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(acked) < 60:
                body = {"data": len(acked)}
                answer = await asyncio.to_thread(server.ask, "POST", "/channels/news/events", json=body)
                assert answer.status_code in (201, 503), answer.text
                if answer.status_code == 201:
                    acked.append(answer.json()["id"])
                if len(acked) == 20:
                    os.kill(server.engine_pid, signal.SIGKILL)
                    acked.append(await retried())

    async def retried() -> str:
        while True:
            answer = await asyncio.to_thread(server.ask, "POST", "/channels/news/events", json={"data": "retried"})
            if answer.status_code == 201:
                return str(answer.json()["id"])
            assert answer.status_code == 503, answer.text

    await publish()
    kept = [event["id"] for event in await asyncio.to_thread(server.events, "news", start)]
    assert [event_id for event_id in kept if event_id in acked] == acked
    assert [event_id for event_id, _ in await follow(server, start, len(kept))] == kept
