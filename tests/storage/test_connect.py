"""A connection that is closed under a write, on the loop that brokers run on: uvloop has words of its own for that."""

import asyncio

import pytest
import uvloop

from broker.errors import Unavailable
from broker.storage.connect import answered, connect, is_lost
from broker.storage.feed import Feed
from tests.stores import running

TIMEOUTS = {"connect_timeout_s": 5.0, "reply_timeout_s": 5.0}


def test_a_call_on_a_connection_that_was_closed_meanwhile_is_unavailable(engine_url: str) -> None:
    async def call() -> None:
        client = connect(engine_url, **TIMEOUTS)
        connection = await client.connection_pool.get_connection()
        connection._writer.transport.abort()
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
        feed, connected = Feed(engine_url, reply_timeout_s=5.0), asyncio.Event()
        feed.listen(lambda *_: None, lambda _: connected.set())
        async with running(feed.run()):
            await asyncio.wait_for(connected.wait(), 5)
            assert feed._connection is not None
            feed._connection._writer.transport.abort()
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
