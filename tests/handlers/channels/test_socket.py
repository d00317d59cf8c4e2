"""The WebSocket of a channel: replay, live, filters, refusals and close codes (contract sections 9 and 16)."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from broker.ids import render_ulid
from tests.broker_server import API, BrokerServer

SOCKET = "/channels/news/ws"


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


async def take(socket: ClientConnection, count: int) -> list[Any]:
    return [json.loads(await asyncio.wait_for(socket.recv(), 5)) for _ in range(count)]


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            await asyncio.wait_for(socket.recv(), 5)
    frame = caught.value.rcvd
    assert frame is not None
    return frame.code, frame.reason


async def refused(server: BrokerServer, path: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with server.socket(path, **options):
            pass
    response = caught.value.response
    assert "error" in json.loads(response.body or b"")
    return response.status_code


async def test_each_event_is_one_bare_frame_in_order(server: BrokerServer) -> None:
    async with server.socket(SOCKET) as socket:
        events = await server.publish("news", 1, 2, 3)
        assert await take(socket, 3) == events


async def test_a_cursor_replays_then_goes_on_live(server: BrokerServer) -> None:
    events = await server.publish("news", *range(10))
    async with server.socket(f"{SOCKET}?cursor={events[3]['id']}") as socket:
        assert await take(socket, 6) == events[4:]
        assert await take(socket, 0) == []
        live = await server.publish("news", "live")
        assert await take(socket, 1) == live


async def test_without_a_cursor_it_starts_at_the_tip(server: BrokerServer) -> None:
    await server.publish("news", "before")
    async with server.socket(SOCKET) as socket:
        after = await server.publish("news", "after")
        assert await take(socket, 1) == after


async def test_a_filter_lets_only_its_types_through(server: BrokerServer) -> None:
    async with server.socket(f"{SOCKET}?types=a,%20b") as socket:
        await server.publish("news", 1)
        await server.publish("news", 2, type="c")
        events = await server.publish("news", 3, 4, type="b")
        assert await take(socket, 2) == events


async def test_refusals_come_before_the_upgrade(server: BrokerServer) -> None:
    await server.create("secret", is_public=False)
    secret = "/channels/secret/ws"
    assert await refused(server, "/channels/none/ws") == 404
    assert await refused(server, secret) == 401
    assert await refused(server, secret, token="x.y.z") == 401
    assert await refused(server, secret, token=server.token("pub:secret")) == 403
    assert await refused(server, f"{SOCKET}?cursor=x") == 400
    assert (await server.http.get(f"{API}{SOCKET}")).status_code == 426


async def test_a_private_channel_is_followed_by_header_or_query_token(server: BrokerServer) -> None:
    await server.create("secret", is_public=False)
    token = server.token("sub:secret")
    async with (
        server.socket("/channels/secret/ws", token=token) as one,
        server.socket(f"/channels/secret/ws?token={token}") as other,
    ):
        events = await server.publish("secret", 1)
        assert await take(one, 1) == await take(other, 1) == events


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://127.0.0.1:{port}", True),
        ("null", False),
        ("https://evil.example", False),
        ("http://127.0.0.1:{port}.evil.example", False),
        ("http://127.0.0.1:{port}@evil.example", False),
        ("file://127.0.0.1:{port}", False),
    ],
)
async def test_only_the_own_origin_may_open_a_socket(server: BrokerServer, origin: str, is_allowed: bool) -> None:
    headers = {"origin": origin.format(port=server.port)}
    if is_allowed:
        async with server.socket(SOCKET, origin=headers["origin"]):
            return
    assert await refused(server, SOCKET, origin=headers["origin"]) == 403


async def test_a_gap_closes_with_4410_and_the_cursor_to_go_on_from(server: BrokerServer) -> None:
    channel = await server.broker.channels.find("news")
    events = await server.publish("news", *range(10))
    await server.change("news", config={"storage": {"retention_events": 2}})
    while (await server.broker.channels.listed("news")).meta.trimmed == channel.start:
        await asyncio.sleep(0.02)
    async with server.socket(f"{SOCKET}?cursor={render_ulid(channel.tag_letters, channel.start)}") as socket:
        code, reason = await closed(socket)
    assert (code, reason) == (4410, f"cursor expired; cursor={events[7]['id']}")


async def test_a_deleted_channel_closes_its_sockets_with_1000(server: BrokerServer) -> None:
    async with server.socket(SOCKET) as socket:
        await server.broker.channels.delete("news")
        assert await closed(socket) == (1000, "channel deleted")


async def test_a_channel_turned_private_closes_strangers_and_keeps_token_holders(server: BrokerServer) -> None:
    last = (await server.publish("news", 0))[0]["id"]
    async with server.socket(SOCKET) as stranger, server.socket(SOCKET, token=server.token("sub:news")) as reader:
        await server.change("news", is_public=False)
        assert await closed(stranger) == (4403, f"forbidden; cursor={last}")
        events = await server.publish("news", 1)
        assert await take(reader, 1) == events


async def test_an_expired_token_closes_with_4401(server: BrokerServer) -> None:
    await server.create("secret", is_public=False)
    token = server.token("sub:secret", expires_in_s=1)
    async with server.socket("/channels/secret/ws", token=token) as socket:
        code, reason = await closed(socket)
    assert code == 4401 and reason.startswith("token expired; cursor=")


async def test_a_removed_key_closes_its_sockets(server: BrokerServer) -> None:
    await server.create("secret", is_public=False)
    async with server.socket("/channels/secret/ws", token=server.token("sub:secret")) as socket:
        server.broker.verifier.replace_keys({})
        server.broker.hub.judge_all()
        assert (await closed(socket))[0] == 4401


async def test_a_drain_closes_every_socket_with_1012_and_its_cursor(server: BrokerServer) -> None:
    last = (await server.publish("news", 0))[0]["id"]
    async with server.socket(SOCKET) as one, server.socket(SOCKET) as other:
        server.drain.begin()
        assert [await closed(socket) for socket in (one, other)] == [(1012, f"restart; cursor={last}")] * 2


async def test_a_token_holds_only_so_many_connections(server: BrokerServer) -> None:
    token = server.token("sub:news")
    sockets = [await server.socket(SOCKET, token=token) for _ in range(5)]
    assert await refused(server, SOCKET, token=token) == 429
    await sockets[0].close()
    async with asyncio.timeout(5):
        while True:
            try:
                sockets.append(await server.socket(SOCKET, token=token))
                break
            except InvalidStatus:
                await asyncio.sleep(0.01)
    for socket in sockets:
        await socket.close()
