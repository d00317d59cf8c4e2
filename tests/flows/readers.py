"""Readers of a channel at each door, which come back with their cursor whatever happens, as any client would."""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.serve_process import API, ServeProcess

BROKEN = (ConnectionClosed, InvalidHandshake, OSError, httpx2.HTTPError)
PAUSE_S = 0.02
CURSOR_OF_REASON = re.compile(r"cursor=(\w{26})")

Event = dict[str, Any]
Door = Callable[["Reader"], AsyncGenerator[Event, None]]


class Reader:
    """One reader of the channel `news`: where it started, its cursor now, and all events that it was given."""

    def __init__(self, server: ServeProcess, chance: random.Random, cursor: str, types: str | None) -> None:
        self.server = server
        self.chance = chance
        self.start = self.cursor = cursor
        self.types = types
        self.seen: list[Event] = []

    @property
    def query(self) -> dict[str, str]:
        """What it asks a door for."""
        return {"cursor": self.cursor, **({"types": self.types} if self.types else {})}

    async def read(self, door: Door, is_last: Callable[[Event], bool]) -> None:
        """Read until the last event, on as many connections as it takes; now and then it leaves by itself."""
        while not (self.seen and is_last(self.seen[-1])):
            try:
                async with aclosing(door(self)) as events:
                    async for event in events:
                        self.seen.append(event)
                        self.cursor = event["id"]
                        if is_last(event) or self.chance.random() < 0.01:
                            break
            except BROKEN as error:
                self._take_cursor(error)
            await asyncio.sleep(PAUSE_S * self.chance.random())

    def _take_cursor(self, error: Exception) -> None:
        """The cursor of a close reason is ahead of the last event where a filter let nothing through."""
        closed = error.rcvd.reason if isinstance(error, ConnectionClosed) and error.rcvd else ""
        if found := CURSOR_OF_REASON.search(closed):
            assert found[1] >= self.cursor, "a close reason never goes back"
            self.cursor = found[1]


async def by_socket(reader: Reader) -> AsyncGenerator[Event, None]:
    """Over a WebSocket."""
    async with reader.server.socket("news", **reader.query) as socket:
        while True:
            yield json.loads(await socket.recv())


async def by_events(reader: Reader) -> AsyncGenerator[Event, None]:
    """Over Server-Sent Events."""
    url = f"{reader.server.url}{API}/channels/news/sse"
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=30) as http,
        http.stream("GET", url, params=reader.query) as answer,
    ):
        async for line in answer.aiter_lines():
            assert line != "event: cursor_expired"
            if line.startswith('data: {"id"'):
                yield json.loads(line.removeprefix("data: "))
            elif line.startswith("id: "):
                reader.cursor = max(reader.cursor, line.removeprefix("id: ")) if reader.types else reader.cursor


async def by_poll(reader: Reader) -> AsyncGenerator[Event, None]:
    """By long polls."""
    url = f"{reader.server.url}{API}/channels/news/events"
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        while True:
            answer = await http.get(url, params={**reader.query, "wait": "1", "limit": "20"})
            if answer.status_code != 200:
                assert answer.status_code == 503, answer.text
                return
            page = answer.json()
            assert page["complete"] is True, (reader.cursor, reader.seen[-1:], {**page, "events": len(page["events"])})
            for event in page["events"]:
                yield event
            reader.cursor = page["cursor"]
