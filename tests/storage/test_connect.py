"""Clients of an engine: what they do about connections that are gone."""

import asyncio
from pathlib import Path

from redis import Redis

from tests.engines import WHEEL
from tests.external_engine import external_engine
from tests.stores import open_store


async def test_a_connection_that_the_engine_has_closed_is_made_anew_before_the_next_call(tmp_path: Path) -> None:
    """Over TCP, where redis-py's maintenance notifications, which are on by default, hide it."""
    with external_engine(tmp_path / "engine", WHEEL) as port, Redis(port=port) as admin:
        async with open_store(f"redis://127.0.0.1:{port}") as store:
            channel = await store.create()
            await asyncio.gather(*(store.channels.refresh(channel.id) for _ in range(10)))
            for i in range(3):
                await store.publish(channel, i)
                assert admin.client_kill_filter(_type="normal", skipme=True) > 0
                await asyncio.sleep(0.02)
                await store.publish(channel, i)
                assert await store.channels.count() == 1
            assert len(await store.all(channel)) == 6
