"""Server-Sent Events: replay, live, filters, gaps and the end (contract section 16)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from broker.ids import render_ulid
from tests.broker_server import API, BrokerServer

STREAM = f"{API}/channels/news/sse"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


class Events:
    """Reads a stream block by block."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> dict[str, str]:
        """The fields of the next block that has any beside `retry`."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    continue
                if line:
                    fields[name] = value
                elif fields.keys() - {"retry"}:
                    return fields
                else:
                    fields = {}
        raise EOFError

    async def take(self, count: int) -> list[Any]:
        """The events of the next blocks, whose ids are theirs."""
        blocks = [await self.next() for _ in range(count)]
        events = [json.loads(block["data"]) for block in blocks]
        assert [block["id"] for block in blocks] == [event["id"] for event in events]
        return events


@asynccontextmanager
async def following(server: BrokerServer, query: str = "", **headers: str) -> AsyncIterator[Events]:
    async with server.http.stream("GET", f"{STREAM}{query}", headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        yield Events(answer.aiter_lines())


async def test_events_come_with_their_ids_and_in_order(server: BrokerServer) -> None:
    async with following(server) as stream:
        events = await server.publish("news", 1, "two\nlines", {"three": 3})
        assert await stream.take(3) == events


@pytest.mark.parametrize("how", ["query", "header"])
async def test_it_resumes_by_cursor_or_last_event_id(server: BrokerServer, how: str) -> None:
    events = await server.publish("news", *range(5))
    cursor = events[1]["id"]
    query, headers = (f"?cursor={cursor}", {}) if how == "query" else ("", {"Last-Event-ID": cursor})
    async with following(server, query, **headers) as stream:
        assert await stream.take(3) == events[2:]
        live = await server.publish("news", "live")
        assert await stream.take(1) == live


async def test_a_filtered_stream_moves_its_position_by_bare_ids(server: BrokerServer) -> None:
    async with following(server, "?types=a") as stream:
        skipped = (await server.publish("news", 1, type="b"))[0]
        assert await stream.next() == {"id": skipped["id"]}
        events = await server.publish("news", 2, type="a")
        assert await stream.take(1) == events


async def test_a_gap_is_told_and_the_stream_goes_on_from_the_oldest(server: BrokerServer) -> None:
    channel = await server.broker.channels.find("news")
    events = await server.publish("news", *range(10))
    await server.change("news", config={"storage": {"retention_events": 2}})
    while (await server.broker.channels.listed("news")).meta.trimmed == channel.start:
        await asyncio.sleep(0.02)
    async with following(server, f"?cursor={render_ulid(channel.tag_letters, channel.start)}") as stream:
        gap = await stream.next()
        assert (gap["event"], gap["id"]) == ("cursor_expired", events[7]["id"])
        assert await stream.take(2) == events[8:]


async def test_a_deleted_channel_ends_the_stream(server: BrokerServer) -> None:
    async with following(server) as stream:
        await server.broker.channels.delete("news")
        end = await stream.next()
        assert (end["event"], json.loads(end["data"])["code"]) == ("close", 1000)
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_drain_ends_the_stream_with_its_cursor(server: BrokerServer) -> None:
    last = (await server.publish("news", 1))[0]["id"]
    async with following(server) as stream:
        server.drain.begin()
        assert json.loads((await stream.next())["data"]) == {"code": 1012, "reason": "restart", "cursor": last}


async def test_a_quiet_stream_is_kept_alive_by_comments_and_loses_nothing_to_them(server: BrokerServer) -> None:
    server.broker.limits = replace(server.broker.limits, ping_interval_s=0.05)
    async with server.http.stream("GET", STREAM) as answer:
        lines = answer.aiter_lines()
        for _ in range(2):
            while await anext(lines) != ": ping":
                pass
        events = [(await server.publish("news", i))[0] for i in range(20)]
        assert await Events(lines).take(20) == events


async def test_refusals_have_their_status(server: BrokerServer) -> None:
    await server.create("secret", is_public=False)
    for path, status in (("none", 404), ("secret", 401), ("news", 400)):
        answer = await server.http.get(f"{API}/channels/{path}/sse?cursor=x")
        assert answer.status_code == status


async def test_a_client_that_goes_away_is_forgotten(server: BrokerServer) -> None:
    channel = await server.broker.channels.find("news")
    async with following(server):
        assert server.broker.hub.readers(channel) == 1
    async with asyncio.timeout(5):
        while server.broker.hub.readers(channel):
            await asyncio.sleep(0.01)
