"""A connection that is closed between two calls, or under a write: there uvloop has words of its own."""

import asyncio
from pathlib import Path

import pytest
import uvloop
from redis import Redis
from redis.asyncio.connection import AbstractConnection

from broker.errors import Unavailable
from broker.storage.connect import answered, connect
from broker.storage.engine import open_engine
from broker.storage.feed import Feed
from broker.storage.losses import is_lost
from tests.engines import WHEEL
from tests.external_engine import external_engine
from tests.stores import open_store, running

PATIENCE_S = 5.0


def close_under(connection: AbstractConnection) -> None:
    """Close it as a reset does, before redis-py has noticed."""
    assert connection._writer is not None
    connection._writer.transport.abort()


def test_a_call_on_a_connection_that_was_closed_meanwhile_is_unavailable(engine_url: str) -> None:
    async def call() -> None:
        client = connect(engine_url, connect_timeout_s=PATIENCE_S, reply_timeout_s=PATIENCE_S)
        connection: AbstractConnection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        close_under(connection)
        with pytest.raises(Unavailable):
            await answered(connection.send_command("PING", check_health=False))
        await client.connection_pool.release(connection)
        assert await answered(client.ping()), "the next call connects anew"
        await client.aclose(close_connection_pool=True)

    uvloop.run(call())


def test_a_topic_wanted_on_a_feed_that_was_closed_meanwhile_is_watched_on_the_next(
    engine_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def watch() -> None:
        feed, connected = Feed(engine_url, reply_timeout_s=PATIENCE_S), asyncio.Event()
        feed.listen(lambda *_: None, lambda _: connected.set())
        async with running(feed.run()):
            await asyncio.wait_for(connected.wait(), PATIENCE_S)
            assert feed._connection is not None
            close_under(feed._connection)
            await feed.watch("{p00}topic")
            async with asyncio.timeout(PATIENCE_S):
                # The answer to its ping comes behind the acknowledgement.
                while not feed.is_live:
                    await asyncio.sleep(0.005)

    uvloop.run(watch())
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    ("error", "is_broken"),
    [
        (RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"), True),
        (RuntimeError("dictionary changed size during iteration"), False),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (KeyError("x"), False),
    ],
)
def test_only_what_a_broken_connection_raises_is_taken_for_one(error: Exception, is_broken: bool) -> None:
    assert is_lost(error) is is_broken


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


async def test_an_engine_that_wants_another_password_is_said_to(tmp_path: Path) -> None:
    words = ("--port", "{port}", "--requirepass", "right")
    with external_engine(tmp_path / "engine", WHEEL, *words) as port:
        for login in ("", ":wrong@"):
            with pytest.raises(Unavailable, match="does not take the user and password of its URL"):
                await open_engine(f"redis://{login}127.0.0.1:{port}")
        await (await open_engine(f"redis://:right@127.0.0.1:{port}")).close()
