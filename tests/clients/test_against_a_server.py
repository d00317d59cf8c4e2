"""Both faces against `./run serve`: publishing, pages, and following by every transport, also in bad networks."""

import asyncio
import secrets
import time

import pytest

from broker.signing_file import load_or_create
from broker.tokens import MintRequest, mint
from tests.clients.bad_network import bad_network
from tests.clients.faces import FACES, QUICK, client_of, take
from tests.serve_process import ServeProcess
from tidemark_client import ChannelEnded, Draft, Gap, GapFound, Refused, Timing
from tidemark_client.ways import TRANSPORTS, Transport

pytestmark = pytest.mark.parametrize("face", FACES)
WAYS = TRANSPORTS


@pytest.fixture
def news(shared_server: ServeProcess) -> str:
    """A private channel of the test's own; its id."""
    channel_id = f"clients-{secrets.token_hex(6)}"
    shared_server.create(channel_id, is_public=False)
    return channel_id


async def test_what_is_published_is_read(shared_server: ServeProcess, news: str, face: str) -> None:
    token = shared_server.token(f"pub:{news}", f"sub:{news}")
    async with client_of(face, shared_server.url, token=token) as client:
        first = await client.publish(news, {"a": [1, None]}, type="t", meta={"m": 1}, key="k")
        assert await client.publish(news, {"a": [1, None]}, type="t", meta={"m": 1}, key="k") == first
        assert (first.type, first.data, first.meta, first.publisher_id) == ("t", {"a": [1, None]}, '{"m":1}', "tests")
        more = [event for i in range(3) for event in await client.publish_batch(news, [Draft(i)] * 50)]
        page = await client.page(news, cursor=first.id, limit=10)
        assert ([event.id for event in page.events], page.has_more, page.is_complete) == (
            [event.id for event in more[:10]],
            True,
            True,
        )
        assert [event async for event in client.read(news, cursor=first.id)] == more
        assert [event.id async for event in client.read(news, since="2020-01-01T00:00:00Z", types=["t"])] == [first.id]
        shown = await client.request("GET", "channels", news)
        assert shown["last_event_id"] == more[-1].id
        with pytest.raises(Refused, match=r"Idempotency-Key came with another body before \(422\)"):
            await client.publish(news, "other", key="k")


@pytest.mark.parametrize("way", WAYS)
async def test_every_transport_replays_filters_and_goes_on_live(
    shared_server: ServeProcess, news: str, face: str, way: Transport
) -> None:
    token = shared_server.token(f"pub:{news}", f"sub:{news}")
    async with client_of(face, shared_server.url, token=lambda: token) as client:
        start = (await client.page(news)).cursor
        await client.publish_batch(news, [Draft(i, "odd" if i % 2 else "even") for i in range(8)])
        follower = client.follow(news, cursor=start, types=["odd"], transports=[way])
        assert [(await anext(follower)).data for _ in range(4)] == [1, 3, 5, 7]
        await client.publish(news, "live", type="odd")
        assert await take(follower, 1) == ["live"]
        assert follower.cursor == (await client.page(news)).cursor


async def test_what_is_published_after_it_began_is_given(shared_server: ServeProcess, news: str, face: str) -> None:
    shared_server.publish(news, "before")
    async with client_of(face, shared_server.url, token=shared_server.token("admin")) as client:
        follower = client.follow(news)
        await follower.begin()
        shared_server.publish(news, "after")
        assert await take(follower, 1) == ["after"]


async def test_what_it_began_with_is_given_at_once_also_where_nothing_follows(
    shared_server: ServeProcess, news: str, face: str
) -> None:
    shared_server.publish(news, 1, 2, 3)
    token, silent = shared_server.token(f"sub:{news}"), Timing(silence_s=3600)
    async with client_of(face, shared_server.url, token=token, timing=silent) as client:
        follower = client.follow(news, newest=2)
        await follower.begin()
        assert await take(follower, 2) == [2, 3]


@pytest.mark.parametrize("way", WAYS)
async def test_a_gap_is_told_by_every_transport(
    shared_server: ServeProcess, news: str, face: str, way: Transport
) -> None:
    published = shared_server.publish(news, *range(10))
    shared_server.ask("PATCH", f"/channels/{news}", json={"config": {"storage": {"retention_events": 2}}})
    while shared_server.ask("GET", f"/channels/{news}/events?cursor={published[0]}").json()["complete"]:
        await asyncio.sleep(0.01)
    async with client_of(face, shared_server.url, token=shared_server.token(f"sub:{news}")) as client:
        follower = client.follow(news, cursor=published[0], transports=[way])
        with pytest.raises(GapFound) as found:
            await anext(follower)
        assert found.value.gap.after == published[0]
        assert published[7] <= found.value.gap.resume < published[8]
        assert await take(follower, 2) == [8, 9]
        gaps: list[Gap] = []
        again = [event.data async for event in client.read(news, cursor=published[0], on_gap=gaps.append)]
        assert (again, len(gaps)) == ([8, 9], 1)


@pytest.mark.parametrize("way", WAYS)
async def test_a_deleted_channel_ends_every_transport(
    shared_server: ServeProcess, news: str, face: str, way: Transport
) -> None:
    shared_server.publish(news, 1)
    async with client_of(face, shared_server.url, token=shared_server.token(f"sub:{news}")) as client:
        follower = client.follow(news, newest=1, transports=[way])
        assert (await anext(follower)).data == 1
        shared_server.publish(news, 2)
        assert (await anext(follower)).data == 2
        assert shared_server.ask("DELETE", f"/channels/{news}").status_code == 204
        # A poll learns only that it is not there.
        with pytest.raises(Refused if way == "poll" else ChannelEnded):
            await anext(follower)


@pytest.mark.parametrize("way", WAYS)
async def test_who_may_not_read_is_told_by_every_transport(
    shared_server: ServeProcess, news: str, face: str, way: Transport
) -> None:
    start = shared_server.tip(news)
    async with client_of(face, shared_server.url, token=shared_server.token("sub:other")) as client:
        with pytest.raises(Refused, match=r"Insufficient permissions \(403\)"):
            await take(client.follow(news, cursor=start, transports=[way]), 1)


async def test_a_token_that_expires_and_is_renewed_is_no_end(shared_server: ServeProcess, news: str, face: str) -> None:
    said: list[str] = []
    key = load_or_create(shared_server.signing_key)

    def token() -> str:
        return mint(MintRequest((f"sub:{news}",), "me", expires_in_s=1), key, now_s=time.time(), audience=None)

    async with client_of(face, shared_server.url, token=token, on_trouble=said.append) as client:
        follower = client.follow(news)
        await follower.begin()
        taking = asyncio.create_task(take(follower, 1))
        while not said:
            await asyncio.sleep(0.01)
        shared_server.publish(news, "after")
        assert await taking == ["after"]
    assert said[0].startswith("The token ")


async def test_where_no_upgrade_passes_it_takes_the_stream(shared_server: ServeProcess, news: str, face: str) -> None:
    said: list[str] = []
    token = shared_server.token("admin")
    async with (
        bad_network(shared_server.port) as network,
        client_of(face, network.url, token=token, on_trouble=said.append) as client,
    ):
        shared_server.publish(news, 0)
        follower = client.follow(news, newest=1)
        assert (await anext(follower)).data == 0
        shared_server.publish(news, 1)
        assert (await anext(follower)).data == 1
        shared_server.publish(news, 2)
        assert await take(follower, 1) == [2]
        assert (network.upgrades, network.streams) == (1, 1)
    assert said[0].startswith("ws is not to be had here (501); resuming after ")


async def test_a_stream_may_be_silent_for_longer_than_it_may_take_to_open(
    shared_server: ServeProcess, news: str, face: str
) -> None:
    said: list[str] = []
    timing = Timing(**{**vars(QUICK), "open_s": 0.5})
    token = shared_server.token("admin")
    async with client_of(face, shared_server.url, token=token, timing=timing, on_trouble=said.append) as client:
        shared_server.publish(news, 0)
        follower = client.follow(news, newest=1, transports=["sse"])
        assert (await anext(follower)).data == 0
        taking = asyncio.create_task(take(follower, 1))
        done, _ = await asyncio.wait([taking], timeout=1)
        assert not done
        shared_server.publish(news, 1)
        assert await taking == [1]
    assert said == []


async def test_where_streams_are_held_back_it_polls(shared_server: ServeProcess, news: str, face: str) -> None:
    timing = Timing(**{**vars(QUICK), "open_s": 0.3, "answer_s": 5, "silence_s": 3600})
    async with (
        bad_network(shared_server.port, holds_streams=True) as network,
        client_of(face, network.url, token=shared_server.token("admin"), timing=timing) as client,
    ):
        shared_server.publish(news, 0)
        follower = client.follow(news, newest=1)
        assert (await anext(follower)).data == 0
        for number in range(1, 4):
            shared_server.publish(news, number)
            assert (await anext(follower)).data == number
        await follower.aclose()
        assert network.upgrades >= 1 and network.streams >= 1
