"""Who reads a channel: told on request, over all processes, to those who have a token for it (contract section 16)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.ids import parse_time
from tests.broker_server import API, BrokerServer, running_broker
from tests.serving_app import until

NEWS = f"{API}/channels/news"
SOCKET = "/channels/news/ws"
PATIENCE_S = 10


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("news")
    return broker_server


@pytest.fixture
async def other(engine_url: str, server: BrokerServer, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    """A second broker on the same engine, with the same key."""
    async with running_broker(engine_url, tmp_path / "signing_key.json") as broker:
        yield broker


async def present(server: BrokerServer) -> Any:
    answer = await server.http.get(f"{NEWS}/presence", headers=server.bearer("sub:news"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    return answer.json()


async def subscriber_count(server: BrokerServer) -> int:
    return int((await server.http.get(NEWS)).json()["subscriber_count"])


async def until_present(server: BrokerServer, *subjects: str | None, anonymous: int = 0) -> Any:
    """What is told once these people are there, and so many others."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = await present(server)
            if ([each["subject"] for each in told["readers"]], told["anonymous"]) == ([*subjects], anonymous):
                return told
            await asyncio.sleep(0.02)


async def test_readers_are_told_once_each_with_name_time_and_connections(server: BrokerServer) -> None:
    ann = server.token("sub:news", sub="ann", name="Ann")
    async with (
        server.socket(SOCKET, ann),
        server.http.stream("GET", f"{NEWS}/sse", headers={"Authorization": f"Bearer {ann}"}),
        server.socket(SOCKET, server.token("sub:news", sub="bob")),
        server.socket(SOCKET),
    ):
        told = await present(server)
    assert (told["total"], told["anonymous"], told["truncated"]) == (4, 1, False)
    first, second = told["readers"]
    assert (first["subject"], first["name"], first["connections"]) == ("ann", "Ann", 2)
    assert (second["subject"], second["name"], second["connections"]) == ("bob", None, 1)
    assert abs(parse_time(first["since"]) / 1000 - server.broker.now_s()) < 60
    await until_present(server)


async def test_a_token_that_names_nobody_is_only_counted(server: BrokerServer) -> None:
    async with server.socket(SOCKET, server.token("sub:news")), server.socket(SOCKET, "x.y.z"):
        told = await present(server)
    assert told == {"total": 2, "anonymous": 2, "readers": [], "truncated": False}


async def test_readers_at_every_broker_are_told_at_every_broker(server: BrokerServer, other: BrokerServer) -> None:
    async with (
        server.socket(SOCKET, server.token("sub:news", sub="ann")),
        other.socket(SOCKET, other.token("sub:news", sub="ann")) as leaving,
        other.socket(SOCKET, other.token("sub:news", sub="bob")),
        other.socket(SOCKET),
    ):
        for broker in (server, other):
            told = await until_present(broker, "ann", "bob", anonymous=1)
            assert [each["connections"] for each in told["readers"]] == [2, 1]
            assert told["total"] == await subscriber_count(broker) == 4
        await leaving.close()
        async with asyncio.timeout(PATIENCE_S):
            while (await present(server))["readers"][0]["connections"] == 2:
                await asyncio.sleep(0.02)
    await until_present(server)
    assert await subscriber_count(server) == await subscriber_count(other) == 0


async def test_the_readers_of_a_broker_that_stops_are_told_no_more_at_once(
    engine_url: str, server: BrokerServer, tmp_path: Path
) -> None:
    async with running_broker(engine_url, tmp_path / "signing_key.json") as stopping:
        socket = await stopping.socket(SOCKET, stopping.token("sub:news", sub="ann"))
        await until_present(server, "ann")
        await socket.close()
    assert await subscriber_count(server) == 0


async def test_long_polls_are_not_present(server: BrokerServer) -> None:
    last = (await server.publish("news", 1))[0]["id"]
    channel = await server.broker.channels.find("news")
    poll = asyncio.create_task(server.http.get(f"{NEWS}/events?wait=20&cursor={last}"))
    await until(lambda: server.broker.hub.readers(channel) == 1)
    assert (await present(server))["total"] == await subscriber_count(server) == 0
    await server.publish("news", 2)
    assert (await poll).status_code == 200


async def test_a_channel_of_many_on_one_socket_is_read_by_whom_its_token_names(server: BrokerServer) -> None:
    async with server.socket("/ws", server.token("sub:news", sub="ann", name="Ann")) as socket:

        async def say(**command: Any) -> Any:
            await socket.send(json.dumps(command))
            return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))

        for _ in range(2):  # followed anew it is still one reader
            assert "subscribed" in await say(subscribe={"channel": "news"})
        assert [each["name"] for each in (await present(server))["readers"]] == ["Ann"]
        await say(token=server.token("sub:news", sub="bob"))
        told = await present(server)
        assert [(each["subject"], each["connections"]) for each in told["readers"]] == [("bob", 1)]
        await say(unsubscribe={"channel": "news"})
        assert (await present(server))["total"] == 0
        await say(subscribe={"channel": "news"})
        await server.change("news", is_public=False)
        assert (await present(server))["total"] == 1
    await until_present(server)


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (None, 401),
        (("sub:news",), 200),
        (("sub:*",), 200),
        (("admin",), 200),
        (("pub:news",), 403),
        (("sub:other",), 403),
        (("metrics",), 403),
    ],
)
@pytest.mark.parametrize("is_public", [True, False])
async def test_only_those_with_a_token_for_the_channel_are_told_also_where_anybody_reads(
    server: BrokerServer, scopes: tuple[str, ...] | None, status: int, is_public: bool
) -> None:
    await server.change("news", is_public=is_public)
    headers = {} if scopes is None else server.bearer(*scopes)
    answer = await server.http.get(f"{NEWS}/presence", headers=headers)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "private, no-store")


async def test_presence_of_no_channel_is_404_whoever_asks(server: BrokerServer) -> None:
    path = f"{API}/channels/none/presence"
    for headers in ({}, server.bearer("admin")):
        assert (await server.http.get(path, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("setting", "reader", "admin"),
    [("readers", 200, 200), ("admins", 403, 200), ("nobody", 403, 403)],
)
async def test_the_settings_say_who_is_told(
    engine_url: str, tmp_path: Path, setting: str, reader: int, admin: int
) -> None:
    async with running_broker(engine_url, tmp_path / "key.json", {"channels": {"presence": setting}}) as server:
        await server.create("news")
        async with server.socket(SOCKET, server.token("sub:news", sub="ann")):
            for scope, status in (("sub:news", reader), ("admin", admin)):
                answer = await server.http.get(f"{NEWS}/presence", headers=server.bearer(scope))
                assert answer.status_code == status
            assert await subscriber_count(server) == 1
            present = await server.broker.presence.present(await server.broker.channels.find("news"))
            assert [guest.subject for guest in present.guests] == ([] if setting == "nobody" else ["ann"])
