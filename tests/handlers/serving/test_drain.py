"""A drain of the real broker: everybody is told where to go on, and a second broker gives exactly the rest."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from broker.closing import RESTART, Closed
from tests.broker_server import API, BrokerServer, running_broker
from tests.handlers.serving.apps import parse_answers
from tests.handlers.serving.readers import End, Reader, buffers, reading, take, until_end
from tests.serving_app import handshake, raw_client, until

OVERRIDES: dict[str, dict[str, Any]] = {
    "server": {"drain_s": 0.5, "shutdown_s": 8},
    "limits": {"write_buffer_bytes": 32_768},
    "channels": {"window_events": 16},
}
TEXT = "x" * 4_000


@pytest.fixture
async def brokers(engine_url: str, tmp_path: Path) -> AsyncIterator[tuple[BrokerServer, BrokerServer]]:
    """Two brokers on one engine, with a channel `news`."""
    key = tmp_path / "signing_key.json"
    async with running_broker(engine_url, key, OVERRIDES) as one, running_broker(engine_url, key, OVERRIDES) as other:
        await one.create("news")
        yield one, other


@asynccontextmanager
async def publishing(server: BrokerServer, events: list[Any]) -> AsyncIterator[None]:
    """Publishes in the background until the block ends; `events` are what was acknowledged."""
    stop = asyncio.Event()

    async def publish() -> None:
        while not stop.is_set():
            events.extend(await server.publish("news", len(events), *[TEXT] * 5))

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        stop.set()
        await task


async def rest(server: BrokerServer, kind: str, cursor: str, count: int) -> list[Any]:
    async with reading(server, kind, f"?cursor={cursor}", receive_buffer_bytes=1_000_000) as reader:
        return await take(reader, count)


async def test_readers_of_all_kinds_resume_elsewhere_without_a_loss_or_a_repetition(
    brokers: tuple[BrokerServer, BrokerServer],
) -> None:
    """At the tip, in the middle of a replay, and blocked as they do not read; while others publish."""
    one, other = brokers
    events = [event for _ in range(2) for event in await one.publish("news", *range(100))]
    async with AsyncExitStack() as stack:
        at_tip = [await stack.enter_async_context(reading(one, kind)) for kind in ("socket", "stream") * 3]
        blocked = await stack.enter_async_context(reading(one, "socket"))
        async with publishing(other, events):
            await until(lambda: len(events) >= 400)
            start = events[50]["id"]
            replaying = [
                await stack.enter_async_context(reading(one, kind, f"?cursor={start}")) for kind in ("socket", "stream")
            ]
            ends = [asyncio.create_task(until_end(reader)) for reader in [*at_tip, *replaying]]
            one.running.ask_to_stop()
            found = [await end for end in ends]
            found.append(await until_end(blocked))
            await one.running.stopped()
        for i, (got, end) in enumerate(found):
            assert end.code == 1012, i
            assert end.cursor == (got[-1]["id"] if got else end.cursor)
            first = 51 if 6 <= i < 8 else 200
            kind = "socket" if i % 2 == 0 else "stream"
            assert end.cursor is not None
            assert got + await rest(other, kind, end.cursor, len(events) - first - len(got)) == events[first:], i


async def test_a_reader_that_does_not_read_is_told_as_soon_as_it_reads(
    brokers: tuple[BrokerServer, BrokerServer],
) -> None:
    """The close stands behind what was written for it, with the cursor of exactly that; nobody waits for the reader."""
    one, other = brokers
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(reading(one, kind)) for kind in ("socket", "stream")]
        events = [event for _ in range(5) for event in await one.publish("news", *[TEXT] * 40)]
        await until(lambda: len([size for size in buffers(one) if size > 16_000]) >= 2)
        one.drain.begin()
        await until(lambda: one.running.counts.get("close_1012") == 2)
        for kind, reader in zip(("socket", "stream"), readers, strict=True):
            got, end = await until_end(reader)
            assert end == End(1012, got[-1]["id"])
            assert 0 < len(got) < 200
            assert got + await rest(other, kind, got[-1]["id"], 200 - len(got)) == events


async def test_a_long_poll_is_answered_at_once_and_new_readers_are_refused(
    brokers: tuple[BrokerServer, BrokerServer],
) -> None:
    one, _ = brokers
    events = await one.publish("news", 1)
    path = f"{API}/channels/news/events"
    held = asyncio.create_task(one.http.get(f"{path}?cursor={events[0]['id']}&wait=30"))
    channel = await one.broker.channels.find("news")
    await until(lambda: one.broker.hub.readers(channel))
    one.drain.begin()
    answer = await asyncio.wait_for(held, 3)
    assert (answer.status_code, answer.json()["events"], answer.json()["cursor"]) == (200, [], events[0]["id"])
    assert (await one.http.get(f"{path}?wait=30&cursor={events[0]['id']}")).status_code == 503
    assert (await one.http.get(path)).json()["events"] == events, "what is not held goes on"
    refused = await one.http.get(f"{API}/channels/news/sse")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    with pytest.raises(InvalidStatus) as caught:
        await one.socket("/channels/news/ws")
    assert caught.value.response.status_code == 503


async def test_it_is_not_ready_from_the_beginning_of_the_drain_and_lets_nobody_in(
    brokers: tuple[BrokerServer, BrokerServer],
) -> None:
    """What had begun to arrive is served: the question whether it is ready, a handshake, a publish."""
    one, other = brokers
    token = one.token("pub:news")
    body = b'{"data":"late"}'
    publish = f"POST {API}/channels/news/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    sent = {
        "ready": b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
        "alive": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "socket": handshake(f"{API}/channels/news/ws"),
        "publish": publish.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body,
    }
    async with AsyncExitStack() as stack:
        clients = {name: await stack.enter_async_context(raw_client(one.port)) for name in sent}
        for name, client in clients.items():
            await client.send(sent[name][:-3])
        await until(lambda: all(getattr(each, "url", None) for each in one.running.server.server_state.connections))
        one.running.ask_to_stop()
        await one.drain.wait()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", one.port)
        found = {}
        for name, client in clients.items():
            await client.send(sent[name][-3:])
            (found[name],) = parse_answers(await client.read_to_end())
        assert {name: answer.status for name, answer in found.items()} == {
            "ready": 503,
            "alive": 200,
            "socket": 503,
            "publish": 201,
        }
        assert all(answer.headers["connection"] == "close" for answer in found.values())
        await one.running.stopped()
    page = (await other.http.get(f"{API}/channels/news/events")).json()
    assert page["events"] == [json.loads(found["publish"].body)]


async def test_a_subscription_that_was_being_made_when_the_drain_began_is_told_too(
    brokers: tuple[BrokerServer, BrokerServer],
) -> None:
    """It is not among those that are closed, as it is not there yet."""
    one, _ = brokers
    subscribe = one.broker.hub.subscribe

    async def late(*args: Any, **kwargs: Any) -> Any:
        one.drain.begin()
        await asyncio.sleep(0.7)
        return await subscribe(*args, **kwargs)

    one.broker.hub.subscribe = late  # type: ignore[method-assign]
    last = (await one.publish("news", 1))[0]["id"]
    async with reading(one, "socket") as reader:
        assert await reader.next() == End(1012, last)


async def test_many_are_closed_spread_over_the_time_and_those_that_wait_for_one_step_first(
    brokers: tuple[BrokerServer, BrokerServer],
) -> None:
    one, _ = brokers
    hub, channel = one.broker.hub, await one.broker.channels.find("news")
    ended: list[tuple[float, bool]] = []

    async def read(is_brief: bool) -> None:
        subscription = await hub.subscribe(channel, None, None, lambda _: None)
        subscription.is_brief = is_brief
        with pytest.raises(Closed):
            await subscription.next()
        ended.append((time.monotonic() - began, is_brief))
        hub.unsubscribe(channel, subscription)

    began = time.monotonic()
    tasks = [asyncio.create_task(read(i % 20 == 0)) for i in range(200)]
    await until(lambda: hub.readers(channel) >= 200)
    began = time.monotonic()
    await hub.close_all(RESTART, spread_s=0.5)
    took_s = time.monotonic() - began
    await asyncio.gather(*tasks)
    assert 0.45 < took_s < 1.5
    brief, lasting = [at for at, is_brief in ended if is_brief], [at for at, is_brief in ended if not is_brief]
    assert max(brief) < 0.25
    assert sum(at < 0.25 for at in lasting) < 0.75 * len(lasting), "not all at once"


async def test_a_reader_ages_and_is_closed_with_1012_and_its_cursor(
    brokers: tuple[BrokerServer, BrokerServer],
) -> None:
    one, _ = brokers
    one.broker.limits = replace(one.broker.limits, socket_age_s=1)
    last = (await one.publish("news", 1))[0]["id"]
    loop = asyncio.get_running_loop()

    async def age(reader: Reader, began_s: float) -> float:
        assert await reader.next() == End(1012, last)
        return loop.time() - began_s

    async with AsyncExitStack() as stack:
        ages = []
        for kind in ("socket", "stream") * 4:
            began_s = loop.time()
            ages.append(age(await stack.enter_async_context(reading(one, kind)), began_s))
        found = await asyncio.gather(*ages)
    assert min(found) > 0.79
    assert max(found) - min(found) > 0.005, "not all at once"
    assert one.running.counts == {"close_1012": 8}
