"""The doors of one channel: WebSocket, Server-Sent Events, polls and long polls. Each reads until it breaks."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx2
import orjson
from websockets.asyncio.client import connect

from soak.readers import EXPIRED, Reader, Refused
from soak.stage import API, Broker, Stage
from soak.ways import ANSWER_S, FOR_NOW, http_client, options_of
from tidemark_client.ids import cursor_before

SILENT_S = 20.0
WAIT_S = 1
POLL_S = 0.2
PAGE_EVENTS = 100


async def by_socket(stage: Stage, broker: Broker, reader: Reader) -> None:
    """Over a WebSocket of the channel."""
    url = f"{broker.socket_url}{_path(reader)}/ws?{urlencode(reader.query)}"
    async with connect(url, **options_of(stage)) as socket:
        while not (reader.is_done or reader.is_held):
            reader.take(orjson.loads(await socket.recv()))


async def by_stream(stage: Stage, broker: Broker, reader: Reader) -> None:
    """Over Server-Sent Events, read as the standard says: an event counts when its empty line has come."""
    async with (
        http_client(stage, timeout_s=SILENT_S) as http,
        http.stream("GET", f"{broker.url}{_path(reader)}/sse", params=reader.query) as answer,
    ):
        if is_refused(answer.status_code):
            return
        async for told in read_stream(answer.aiter_lines()):
            if take_from_stream(reader, told) or reader.is_done or reader.is_held:
                return


class Told(NamedTuple):
    """One event of a stream."""

    kind: str
    id: str
    content: str


async def read_stream(lines: AsyncIterator[str]) -> AsyncIterator[Told]:
    """The events of a stream, those without content too."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            yield Told(fields.get("event", ""), fields.get("id", ""), fields.get("data", ""))
            fields = {}


def take_from_stream(reader: Reader, told: Told) -> bool:
    """Take in one event of a stream; whether it was the last."""
    if told.kind == "cursor_expired":
        reader.miss(told.id)
    elif told.kind == "close":
        close = orjson.loads(told.content)
        if close["code"] == EXPIRED:
            raise Refused(f"a stream was closed with {close}")
        reader.move(close["cursor"] or "")
    elif told.content:
        reader.take(orjson.loads(told.content))
    elif told.id:
        reader.move(told.id)
    return told.kind == "close"


async def by_poll(stage: Stage, broker: Broker, reader: Reader) -> None:
    """By polls, five a second."""
    await _poll(stage, broker, reader, {}, POLL_S)


async def by_long_poll(stage: Stage, broker: Broker, reader: Reader) -> None:
    """By long polls."""
    await _poll(stage, broker, reader, {"wait": str(WAIT_S)}, 0.0)


async def _poll(stage: Stage, broker: Broker, reader: Reader, more: Mapping[str, str], pause_s: float) -> None:
    async with http_client(stage, timeout_s=ANSWER_S + WAIT_S) as http:
        while not (reader.is_done or reader.is_held):
            page = await get_page(http, f"{broker.url}{_path(reader)}/events", {**reader.query, **more})
            if page is None:
                return
            take_page(reader, page)
            await asyncio.sleep(0 if page["has_more"] else pause_s)


async def get_page(http: httpx2.AsyncClient, url: str, query: Mapping[str, str]) -> Any | None:
    """A page; None for a refusal that passes. Raises `Refused` for any other."""
    answer = await http.get(url, params={"limit": str(PAGE_EVENTS), **query})
    return None if is_refused(answer.status_code) else answer.json()


def take_page(reader: Reader, page: Any) -> None:
    """Take in a page: the gap before it, its events, and its cursor."""
    if not page["complete"]:
        oldest = page["oldest"]
        reader.miss(page["cursor"] if oldest is None else cursor_before(oldest))
    for event in page["events"]:
        reader.take(event)
    reader.move(page["cursor"])


def is_refused(status: int) -> bool:
    """Whether this is a refusal that passes; raises `Refused` for any other answer than 200."""
    if status != 200 and status not in FOR_NOW:
        raise Refused(f"was answered {status}")
    return status != 200


def _path(reader: Reader) -> str:
    return f"{API}/channels/{reader.reading.channel}"
