"""Who speaks on the socket: by header, query or first message, refreshed in band, and what ends with a token."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from broker.closing import FORBIDDEN, TOKEN_EXPIRED, Closed
from broker.trust import own_key
from handlers.channels.multiplex.commands import Asked, Subscribe
from handlers.channels.multiplex.session import open_session
from tests.broker_server import API, BrokerServer, running_broker
from tests.multiplex_client import multiplexed


@pytest.fixture
async def server(broker_server: BrokerServer) -> BrokerServer:
    await broker_server.create("public")
    await broker_server.create("secret", is_public=False)
    await broker_server.create("hidden", is_public=False)
    return broker_server


async def refused_upgrade(server: BrokerServer, path: str = "/ws", **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with server.socket(path, **options):
            pass
    response = caught.value.response
    assert "error" in json.loads(response.body or b"")
    return response.status_code


async def test_a_token_comes_by_header_query_or_first_message(server: BrokerServer) -> None:
    token = server.token("sub:secret", "pub:secret", sub="me", expires_in_s=60)
    async with (
        multiplexed(server, token) as by_header,
        multiplexed(server, path=f"/ws?token={token}") as by_query,
        multiplexed(server) as by_message,
    ):
        said = (await by_message.ask(token=token))["authenticated"]
        assert (said["publisher_id"], said["scopes"]) == ("me", ["sub:secret", "pub:secret"])
        assert said["expires_at"] > "2026"
        for many in (by_header, by_query, by_message):
            await many.subscribe("secret")
        events = await server.publish("secret", 1)
        for many in (by_header, by_query, by_message):
            assert await many.take("secret", 1) == events
        await by_message.publish("secret", data=2)


async def test_a_token_without_a_subject_or_an_end_says_so(server: BrokerServer) -> None:
    async with multiplexed(server) as many:
        answer = await many.ask(token=server.token("sub:secret"))
        assert answer["authenticated"] == {"publisher_id": None, "scopes": ["sub:secret"]}


async def test_without_a_token_public_channels_can_be_followed(server: BrokerServer) -> None:
    async with multiplexed(server) as many:
        await many.subscribe("public")
        assert (await many.refused(subscribe={"channel": "secret"}))[0] == 401
        events = await server.publish("public", 1)
        assert await many.take("public", 1) == events


async def test_a_bad_token_is_refused_before_the_upgrade_and_in_band(server: BrokerServer) -> None:
    assert await refused_upgrade(server, token="x.y.z") == 401
    assert await refused_upgrade(server, "/ws?token=x.y.z") == 401
    async with multiplexed(server, server.token("sub:secret")) as many:
        await many.subscribe("secret")
        assert await many.refused(token="x.y.z") == (401, "Invalid or expired token")
        events = await server.publish("secret", 1)
        assert await many.take("secret", 1) == events


async def test_a_plain_get_is_426(server: BrokerServer) -> None:
    assert (await server.http.get(f"{API}/ws")).status_code == 426


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://127.0.0.1:{port}.evil.example"])
async def test_a_foreign_page_may_not_open_a_socket(server: BrokerServer, origin: str) -> None:
    assert await refused_upgrade(server, origin=origin.format(port=server.port)) == 403


async def test_the_own_page_may_open_a_socket(server: BrokerServer) -> None:
    async with multiplexed(server, origin=f"http://127.0.0.1:{server.port}") as many:
        await many.subscribe("public")


async def test_scopes_are_checked_for_each_channel(server: BrokerServer) -> None:
    async with multiplexed(server, server.token("sub:secret")) as many:
        await many.subscribe("secret")
        assert (await many.refused(subscribe={"channel": "hidden"})) == (403, "Insufficient permissions")
        assert (await many.refused(publish={"channel": "secret", "data": 1}))[0] == 403


async def test_another_token_ends_what_it_may_not_read(server: BrokerServer) -> None:
    last = (await server.publish("secret", 0))[0]["id"]
    async with multiplexed(server, server.token("sub:*", sub="me")) as many:
        for channel in ("public", "secret", "hidden"):
            await many.subscribe(channel)
        await many.ask(token=server.token("sub:hidden", sub="me"))
        ended = (await many.until("ended"))["ended"]
        assert ended == {"channel": "secret", "code": 4403, "reason": "forbidden", "cursor": last}
        events = await server.publish("hidden", 1)
        assert await many.take("hidden", 1) == events
        await server.publish("secret", 1)
        public = await server.publish("public", 1)
        assert await many.take("public", 1) == public
        assert many.events["secret"] == []


async def test_when_all_channels_need_the_token_its_end_closes_with_4401_and_cursors(server: BrokerServer) -> None:
    secret, hidden = (await server.publish("secret", 0))[0]["id"], (await server.publish("hidden", 0))[0]["id"]
    async with multiplexed(server, server.token("sub:*", expires_in_s=2)) as many:
        await many.subscribe("secret")
        await many.subscribe("hidden")
        assert await many.closed() == (4401, "token expired")
        assert many.told[-1] == {"closing": {"secret": secret, "hidden": hidden}}


async def test_what_does_not_need_the_token_outlives_it(server: BrokerServer) -> None:
    last = (await server.publish("secret", 0))[0]["id"]
    async with multiplexed(server, server.token("sub:*", "pub:*", expires_in_s=2)) as many:
        await many.subscribe("secret")
        await many.subscribe("public")
        ended = (await many.until("ended"))["ended"]
        assert ended == {"channel": "secret", "code": 4401, "reason": "token expired", "cursor": last}
        expired = (401, "Invalid or expired token")
        assert await many.refused(subscribe={"channel": "secret", "cursor": last}) == expired
        assert await many.refused(publish={"channel": "public", "data": 1}) == expired
        missed = await server.publish("secret", 1)
        await many.ask(token=server.token("sub:*", expires_in_s=60))
        await many.subscribe("secret", cursor=ended["cursor"])
        assert await many.take("secret", 1) == missed


async def test_a_token_refreshed_in_time_ends_nothing(server: BrokerServer) -> None:
    async with multiplexed(server, server.token("sub:*", sub="me", expires_in_s=2)) as many:
        await many.subscribe("secret")
        expired_at = time.time() + 2.2
        await many.ask(token=server.token("sub:*", sub="me", expires_in_s=60))
        while time.time() < expired_at:
            await server.publish("secret", 1)
            await many.take("secret", 1)
            await asyncio.sleep(0.05)
        assert all("authenticated" in told or "subscribed" in told for told in many.told)


async def test_a_removed_key_ends_what_needs_it_at_once(server: BrokerServer) -> None:
    async with (
        multiplexed(server, server.token("sub:*", "pub:*", sub="me")) as mixed,
        multiplexed(server, server.token("sub:*")) as private,
    ):
        for many, channels in ((mixed, ("public", "secret")), (private, ("secret",))):
            for channel in channels:
                await many.subscribe(channel)
        server.broker.verifier.replace_keys({})
        server.broker.hub.judge_all()
        assert (await mixed.until("ended"))["ended"]["code"] == 4401
        assert await mixed.refused(publish={"channel": "public", "data": 1}) == (401, "Invalid or expired token")
        assert (await private.closed())[0] == 4401
        own = server.signing_key
        server.broker.verifier.replace_keys({own.kid: own_key(own.kid, own.public_x)})
        events = await server.publish("public", 1)
        assert await mixed.take("public", 1) == events


async def test_a_token_holds_only_so_many_sockets_also_when_it_comes_in_band(server: BrokerServer) -> None:
    token = server.token("sub:secret", sub="me")
    sockets = [await server.socket("/ws", token=token) for _ in range(5)]
    assert await refused_upgrade(server, token=token) == 429
    async with multiplexed(server, server.token("sub:hidden", sub="you")) as many:
        await many.subscribe("hidden")
        assert (await many.ask(token=token))["error"]["status"] == 429
        events = await server.publish("hidden", 1)
        assert await many.take("hidden", 1) == events
        await sockets[0].close()
        async with asyncio.timeout(5):
            while "error" in await many.ask(token=token):
                await asyncio.sleep(0.01)
        assert await refused_upgrade(server, token=token) == 429
    for socket in sockets[1:]:
        await socket.close()


async def test_a_socket_that_goes_holds_nothing(server: BrokerServer) -> None:
    def held() -> dict[str, int]:
        return server.broker.open_connections._open

    async with multiplexed(server, server.token("sub:*", sub="me")) as many:
        await many.subscribe("secret")
        await many.ask(token=server.token("sub:*", sub="you"))
        assert len(held()) == 1
    async with asyncio.timeout(5):
        while held() or server.broker.hub.readers(await server.broker.channels.find("secret")):
            await asyncio.sleep(0.01)
    assert not server.broker.ended_by_drain


async def test_a_key_that_is_removed_while_a_channel_is_being_followed_ends_it(server: BrokerServer) -> None:
    broker, grant = server.broker, server.broker.verifier.grant_of(server.token("sub:secret"))
    async with open_session(broker, grant, lambda: None) as session:
        asked = [Asked(1, Subscribe("secret", None, None, None, gap_is_error=False))]
        following = asyncio.create_task(session.execute(asked))
        await asyncio.sleep(0)  # now it has been let in, and waits for the engine
        broker.verifier.replace_keys({})
        broker.hub.judge_all()
        await following
        async with asyncio.timeout(5):
            while (turn := await session.next_turn()).close is None:
                pass
    assert turn.close == TOKEN_EXPIRED


async def test_a_right_that_ends_between_check_and_subscription_is_noticed(server: BrokerServer) -> None:
    """The record that was checked may be older than the one that is watched by then."""
    hub = server.broker.hub
    old = await server.broker.channels.find("public")
    watching = await hub.subscribe(old, None, None, lambda _: None)
    await server.change("public", is_public=False)
    async with asyncio.timeout(5):
        while watching.channel.is_public:
            await asyncio.sleep(0.01)
    late = await hub.subscribe(old, None, None, lambda channel: None if channel.is_public else FORBIDDEN)
    with pytest.raises(Closed) as caught:
        await asyncio.wait_for(late.next(), 5)
    assert caught.value.code == FORBIDDEN.code


async def test_an_old_socket_is_closed_to_come_back_with_fresh_rights(engine_url: str, tmp_path: Path) -> None:
    overrides = {"limits": {"socket_age_s": 1.0}}
    async with running_broker(engine_url, tmp_path / "key.json", overrides) as server, multiplexed(server) as many:
        await server.create("public")
        begun = await many.subscribe("public")
        assert await many.closed() == (1012, "restart")
        assert many.told[-1] == {"closing": {"public": begun["cursor"]}}
