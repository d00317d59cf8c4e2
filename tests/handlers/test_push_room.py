"""Room for streams of one kind of channel: beyond it one is told to poll."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.errors import Unavailable
from handlers.push_room import RETRY_AFTER_S, PushRoom
from tests.broker_server import API, BrokerServer, running_broker


def test_a_place_is_free_again_when_it_is_left() -> None:
    room = PushRoom({"live-watch-": 1})
    with room.taken("live-watch-a"):
        with pytest.raises(Unavailable) as caught, room.taken("live-watch-b"):
            pass
        assert caught.value.retry_after_s == RETRY_AFTER_S
        with room.taken("news"), room.taken("news"):
            pass
    with room.taken("live-watch-b"):
        pass


@pytest.fixture
async def server(engine_url: str, tmp_path: Path) -> AsyncIterator[BrokerServer]:
    async with running_broker(engine_url, tmp_path / "key.json", {"live": {"push_connections": 1}}) as running:
        yield running


async def test_beyond_it_a_stream_is_503_and_polling_goes_on(server: BrokerServer) -> None:
    for name in ("live-watch-town-hall", "news"):
        await server.create(name)
    path = f"{API}/channels/live-watch-town-hall"
    async with server.http.stream("GET", f"{path}/sse") as first:
        assert first.status_code == 200
        refused = await server.http.get(f"{path}/sse")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, str(RETRY_AFTER_S))
        assert (await server.http.get(f"{path}/events")).status_code == 200
        async with server.http.stream("GET", f"{API}/channels/news/sse") as other:
            assert other.status_code == 200
