"""What one broker does to a channel is noticed at every door of another: deletes, re-creation, turned private."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.broker_server import API, BrokerServer, running_broker

NEWS = f"{API}/channels/news"
EVENTS = f"{NEWS}/events"
SOCKET = "/channels/news/ws"


@pytest.fixture
async def other(engine_url: str, broker_server: BrokerServer, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A second broker on the same engine, with the same key."""
    await broker_server.create("news")
    async with running_broker(engine_url, tmp_path / "signing_key.json") as server:
        yield server


async def act(server: BrokerServer, method: str, body: Any = None) -> None:
    answer = await server.http.request(method, NEWS, json=body, headers=server.bearer("admin"))
    assert answer.is_success, answer.text


async def create_again(server: BrokerServer, *, is_public: bool = True) -> None:
    await act(server, "DELETE")
    await server.create("news", is_public=is_public)


async def status(server: BrokerServer, path: str, method: str = "GET", **options: Any) -> int:
    return int((await server.http.request(method, path, **options)).status_code)


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        await asyncio.wait_for(socket.recv(), 5)
    frame = caught.value.rcvd
    assert frame is not None
    return frame.code, frame.reason


async def held(reader: BrokerServer, cursor: str) -> "asyncio.Task[Any]":
    """A long poll at `reader`, once it is held there beside the readers that there are."""
    channel = await reader.broker.channels.find("news")
    before = reader.broker.hub.readers(channel)
    poll = asyncio.create_task(reader.http.get(f"{EVENTS}?wait=20&cursor={cursor}"))
    async with asyncio.timeout(5):
        while reader.broker.hub.readers(channel) == before:
            await asyncio.sleep(0.01)
    return poll


async def last_block(stream: Any) -> dict[str, Any]:
    """The data of the `close` event that ends an SSE stream."""
    async with asyncio.timeout(5):
        lines = [line async for line in stream.aiter_lines()]
    assert "event: close" in lines
    ending: dict[str, Any] = json.loads([line for line in lines if line.startswith("data: ")][-1][6:])
    return ending


async def test_a_delete_ends_sockets_streams_and_long_polls_of_the_other(
    broker_server: BrokerServer, other: BrokerServer
) -> None:
    last = (await broker_server.publish("news", 1))[0]["id"]
    async with other.socket(SOCKET) as socket, other.http.stream("GET", f"{NEWS}/sse") as stream:
        poll = await held(other, last)
        await act(broker_server, "DELETE")
        assert await closed(socket) == (1000, "channel deleted")
        assert await last_block(stream) == {"code": 1000, "reason": "channel deleted", "cursor": None}
        assert (await asyncio.wait_for(poll, 5)).status_code == 404


async def test_turning_private_ends_sockets_streams_and_long_polls_of_the_other(
    broker_server: BrokerServer, other: BrokerServer
) -> None:
    last = (await broker_server.publish("news", 1))[0]["id"]
    async with other.socket(SOCKET) as socket, other.http.stream("GET", f"{NEWS}/sse") as stream:
        poll = await held(other, last)
        await act(broker_server, "PATCH", {"is_public": False})
        assert await closed(socket) == (4403, f"forbidden; cursor={last}")
        assert await last_block(stream) == {"code": 4403, "reason": "forbidden", "cursor": last}
        assert (await asyncio.wait_for(poll, 5)).status_code == 401


DOORS = ["", "/events", "/sse", "/events/{id}", "/events/{id}/thread", "/events/{id}/replies"]


@pytest.mark.parametrize("door", DOORS)
async def test_a_deleted_channel_is_404_at_every_door_of_the_other_that_knew_it(
    broker_server: BrokerServer, other: BrokerServer, door: str
) -> None:
    path = NEWS + door.format(id=(await other.publish("news", 1))[0]["id"])
    await act(broker_server, "DELETE")
    assert await status(other, path) == 404


@pytest.mark.parametrize("door", DOORS)
async def test_a_channel_turned_private_is_401_at_every_door_of_the_other_that_knew_it(
    broker_server: BrokerServer, other: BrokerServer, door: str
) -> None:
    path = NEWS + door.format(id=(await other.publish("news", 1))[0]["id"])
    await act(broker_server, "PATCH", {"is_public": False})
    assert await status(other, path) == 401


@pytest.mark.parametrize("door", DOORS)
async def test_a_channel_turned_public_is_open_at_every_door_of_the_other_that_knew_it(
    broker_server: BrokerServer, other: BrokerServer, door: str
) -> None:
    await act(broker_server, "PATCH", {"is_public": False})
    path = NEWS + door.format(id=(await other.publish("news", 1))[0]["id"])
    await act(broker_server, "PATCH", {"is_public": True})
    async with other.http.stream("GET", path) as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize("door", DOORS)
async def test_a_channel_created_again_is_served_at_every_door_of_the_other_that_knew_the_old_one(
    broker_server: BrokerServer, other: BrokerServer, door: str
) -> None:
    await other.publish("news", "old")
    await create_again(broker_server)
    path = NEWS + door.format(id=(await broker_server.publish("news", "new"))[0]["id"])
    async with other.http.stream("GET", path) as answer:
        assert answer.status_code == 200


async def test_a_channel_created_again_is_followed_deleted_from_and_published_to_at_the_other(
    broker_server: BrokerServer, other: BrokerServer
) -> None:
    await other.publish("news", "old")
    await create_again(broker_server)
    async with other.socket(SOCKET) as socket:
        event = (await other.publish("news", "new"))[0]
        assert json.loads(await asyncio.wait_for(socket.recv(), 5)) == event
    await create_again(broker_server)
    event = (await broker_server.publish("news", "newer"))[0]
    path = f"{EVENTS}/{event['id']}"
    assert await status(other, path, "DELETE", headers=other.bearer("admin")) == 204


async def test_types_act_at_once_at_the_other(broker_server: BrokerServer, other: BrokerServer) -> None:
    await other.publish("news", 1)
    config = {"strict_types": True, "types": {"a": {"schema": {"type": "integer"}}}}
    await act(broker_server, "PATCH", {"config": config})
    headers = other.bearer("pub:news")
    bodies = [{"data": 1}, {"type": "a", "data": "x"}, {"type": "a", "data": 1}]
    assert [await status(other, EVENTS, "POST", json=body, headers=headers) for body in bodies] == [400, 400, 201]
    await act(broker_server, "PATCH", {"config": None})
    assert await status(other, EVENTS, "POST", json=bodies[0], headers=headers) == 201


async def test_a_reply_to_an_event_of_the_channel_created_again_is_taken_at_the_other(
    broker_server: BrokerServer, other: BrokerServer
) -> None:
    await other.publish("news", "old")
    await create_again(broker_server)
    parent = (await broker_server.publish("news", "new"))[0]
    assert (await other.publish("news", "reply", reply_to=parent["id"]))[0]["reply_to"] == parent["id"]
