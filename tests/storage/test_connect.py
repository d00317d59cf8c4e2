"""A connection that is closed under a write, on the loop that brokers run on: uvloop has words of its own for that."""

import asyncio

import pytest
import uvloop
from redis.asyncio.connection import AbstractConnection

from broker.errors import Unavailable
from broker.storage.connect import answered, connect, is_lost
from broker.storage.feed import Feed
from tests.stores import running

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
            assert feed.is_live

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
