"""Sockets, streams and long polls pass through a cache, each event at once."""

import asyncio
import json

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.broker_server import API
from tests.edge.edges import PUBLIC_URL, Edge


def socket(edge: Edge, query: str = "", **options: object) -> connect:
    """A WebSocket to the channel, through the cache."""
    url = f"ws://127.0.0.1:{edge.cache.port}{API}/channels/{edge.channel}/ws{query}"
    return connect(url, proxy=None, compression=None, **options)  # type: ignore[arg-type]


async def take(connection: ClientConnection, count: int) -> list[object]:
    """The next frames."""
    async with asyncio.timeout(5):
        return [json.loads(await connection.recv()) for _ in range(count)]


async def test_a_socket_replays_goes_on_live_and_ends_with_its_code(edge: Edge) -> None:
    events = await edge.publish(*range(5))
    async with socket(edge, f"?cursor={events[1]['id']}") as connection:
        assert await take(connection, 3) == events[2:]
        live = await edge.publish("live", {"large": "x" * 60_000})
        assert await take(connection, 2) == live
        await asyncio.wait_for(await connection.ping(), 5)
        await edge.server.broker.channels.delete(edge.channel)
        with pytest.raises(ConnectionClosed) as closed:
            await take(connection, 1)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000


async def test_what_refuses_a_socket_comes_through(edge: Edge) -> None:
    """A page of the public URL may open one, whatever Host the cache was asked by; a foreign page may not."""
    async with socket(edge, origin=PUBLIC_URL):
        pass
    for options, status in (({"origin": "https://evil.example"}, 403), ({"origin": "null"}, 403)):
        with pytest.raises(InvalidStatus) as refused:
            async with socket(edge, **options):
                pass
        assert refused.value.response.status_code == status
    await edge.server.change(edge.channel, is_public=False)
    with pytest.raises(InvalidStatus) as refused:
        async with socket(edge):
            pass
    assert refused.value.response.status_code == 401
    async with socket(edge, f"?token={edge.server.token(f'sub:{edge.channel}')}"):
        pass


async def test_a_plain_request_to_a_socket_is_426(edge: Edge) -> None:
    answer = await edge.http.get(f"{API}/channels/{edge.channel}/ws")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (426, "no-store")


async def test_a_stream_is_not_held_back_and_resumes(edge: Edge) -> None:
    """Each event is read before the next one is published, so nothing on the way waits for more."""
    path = f"{API}/channels/{edge.channel}/sse"
    last = (await edge.publish("first"))[0]["id"]
    for number in range(2):
        async with edge.http.stream("GET", path, headers={"Last-Event-ID": last}) as answer, asyncio.timeout(5):
            assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            lines = answer.aiter_lines()
            for turn in range(3):
                event = (await edge.publish([number, turn]))[0]
                while not (line := await anext(lines)).startswith("data: "):
                    pass
                assert json.loads(line.removeprefix("data: ")) == event
                last = event["id"]


async def test_long_polls_are_held_together_and_answered_at_once(edge: Edge) -> None:
    cursor = (await edge.get()).json()["cursor"]
    query = f"?cursor={cursor}&wait=20"
    channel = await edge.server.broker.channels.find(edge.channel)
    held = [asyncio.create_task(edge.get(query)) for _ in range(20)]
    async with asyncio.timeout(5):
        while edge.server.broker.hub.readers(channel) < len(held):
            await asyncio.sleep(0.01)
        events = await edge.publish("at last")
        answers = await asyncio.gather(*held)
    assert all(answer.json()["events"] == events for answer in answers)
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


async def test_events_published_through_the_cache_are_published_once(edge: Edge) -> None:
    headers = edge.server.bearer("admin")
    answer = await edge.http.post(edge.events, json={"data": 1}, headers=headers)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "private, no-store")
    assert (await edge.get()).json()["events"] == [answer.json()]
