"""The live feed: what its messages carry, and that its connection comes back with all its topics."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from broker.channels import ChannelRecord
from broker.errors import Unavailable
from broker.storage.channels import keys_of
from broker.storage.feed import Connected, Feed, FeedMessage, parse_feed
from tests.engine_proxy import engine_proxy
from tests.engines import tell
from tests.stores import Store, cursor_of, listening, running


class Listener:
    """Takes what a feed hears, and lets a test wait for it."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.connected: asyncio.Queue[Connected] = asyncio.Queue()

    def attach(self, feed: Feed) -> Feed:
        feed.listen(lambda *message: self.heard.put_nowait(message), self.connected.put_nowait)
        return feed

    async def next(self) -> tuple[str, bytes]:
        return await asyncio.wait_for(self.heard.get(), 5)

    async def next_connection(self) -> Connected:
        return await asyncio.wait_for(self.connected.get(), 5)


async def heard(store: Store, channel: ChannelRecord, *data: list[Any]) -> tuple[list[bytes], list[FeedMessage]]:
    """What the feed carries of the publishes of one turn, one for each of the data."""
    async with listening(store.engine.url, keys_of(channel).topic) as queue:
        outcomes = await asyncio.gather(*(store.publish(channel, *each) for each in data))
        payloads: list[bytes] = []
        messages: list[FeedMessage] = []
        while not messages or messages[-1].last < outcomes[-1].positions[-1]:
            payloads.append(await asyncio.wait_for(queue.get(), 5))
            message = parse_feed(payloads[-1])
            assert message is not None
            messages.append(message)
    return payloads, messages


async def test_the_publishes_of_a_turn_are_one_message(store: Store, channel: ChannelRecord) -> None:
    _, [message] = await heard(store, channel, [1, 2], [3])
    frames = await store.all(channel)
    assert (message.previous, message.last) == (channel.start, frames[-1].position)
    assert [event.position for event in message.events] == [frame.position for frame in frames]
    assert all(frame.wire.endswith(event.tail) for event, frame in zip(message.events, frames, strict=True))


async def test_messages_are_split_at_64_kb_and_join_without_a_seam(store: Store, channel: ChannelRecord) -> None:
    payloads, messages = await heard(store, channel, *(["x" * 20_000] for _ in range(10)))
    assert all(len(payload) < 66_000 for payload in payloads) and len(messages) > 3
    frames = await store.all(channel)
    assert [event.position for message in messages for event in message.events] == [frame.position for frame in frames]
    assert [message.previous for message in messages] == [channel.start, *(message.last for message in messages[:-1])]


@pytest.mark.parametrize("name", ["a" * 256, "\N{GRINNING FACE}" * 256])
async def test_publishes_that_share_a_call_are_told_with_their_events_however_long_their_publisher_is_called(
    store: Store, channel: ChannelRecord, name: str
) -> None:
    async with listening(store.engine.url, keys_of(channel).topic) as queue:
        await asyncio.gather(*(store.publish(channel, i, publisher=name) for i in range(300)))
        told = 0
        while told < 300:
            message = parse_feed(await asyncio.wait_for(queue.get(), 5))
            assert message is not None and message.events, "readers have to fetch it from the log"
            told += len(message.events)


async def test_a_batch_over_64_kb_is_told_by_its_positions_only(store: Store, channel: ChannelRecord) -> None:
    _, messages = await heard(store, channel, ["before"], ["x" * 60_000] * 2, ["after"])
    assert [len(message.events) for message in messages] == [1, 0, 1]
    assert messages[1].previous == messages[0].last < messages[1].last == messages[2].previous


async def test_changes_without_events_are_told_with_what_changed(store: Store, channel: ChannelRecord) -> None:
    positions = (await store.publish(channel, 1, 2, 3)).positions
    async with listening(store.engine.url, keys_of(channel).topic) as queue:
        await store.log.delete(channel, cursor_of(channel, positions[0]), None, admin=True)
        await store.change(channel, config={"storage": {"retention_events": 1}})
        await store.trimmer.sweep()
        await store.channels.delete("news")
        messages = [parse_feed(await asyncio.wait_for(queue.get(), 5)) for _ in range(4)]
    top, start = positions[-1], channel.start
    assert messages == [
        FeedMessage(top, top, start, 1, 1, []),
        FeedMessage(top, top, start, 2, 2, []),
        FeedMessage(top, top, positions[1], 3, 2, []),
        None,
    ]


async def test_a_killed_connection_comes_back_with_every_topic(engine_url: str) -> None:
    listener, topics = Listener(), [f"{{p{i % 16:02d}}}:topic-{i}" for i in range(1_200)]
    feed = listener.attach(Feed(engine_url, reply_timeout_s=2.0))
    async with running(feed.run()):
        await listener.next_connection()
        await asyncio.gather(*(feed.watch(topic) for topic in topics))
        assert feed.is_live
        for _ in range(3):
            assert tell(engine_url, "CLIENT KILL TYPE pubsub").startswith(b":")
            await listener.next_connection()
            assert feed.is_live
            # Told only when every topic is acknowledged: each message from now on is heard.
            for topic in topics[:: len(topics) // 3]:
                assert tell(engine_url, f"SPUBLISH {topic} hello") == b":1\r\n"
                assert await listener.next() == (topic, b"hello")


async def test_a_half_open_connection_is_noticed_and_replaced(engine_url: str, tmp_path: Path) -> None:
    listener = Listener()
    async with engine_proxy(engine_url, tmp_path) as proxy:
        feed = listener.attach(Feed(proxy.url, reply_timeout_s=0.5))
        async with running(feed.run()):
            await feed.watch("{p00}:topic")
            await listener.next_connection()
            proxy.is_hole = True
            async with asyncio.timeout(4):
                while feed.is_live:
                    await asyncio.sleep(0.05)
            proxy.is_hole = False
            await listener.next_connection()
            tell(engine_url, "SPUBLISH {p00}:topic hello")
            assert await listener.next() == ("{p00}:topic", b"hello")


async def test_a_feed_that_cannot_connect_refuses_to_watch_and_catches_up_later(
    engine_url: str, tmp_path: Path
) -> None:
    listener = Listener()
    async with engine_proxy(engine_url, tmp_path) as proxy:
        proxy.is_hole = True
        feed = listener.attach(Feed(proxy.url, reply_timeout_s=0.3))
        async with running(feed.run()):
            with pytest.raises(Unavailable, match="not connected"):
                await feed.watch("{p00}:topic")
            watching = asyncio.create_task(feed.watch("{p00}:topic"))
            proxy.is_hole = False
            try:
                await watching
            except Unavailable:
                await feed.watch("{p00}:topic")
            tell(engine_url, "SPUBLISH {p00}:topic hello")
            assert await listener.next() == ("{p00}:topic", b"hello")


async def test_watching_and_unwatching_in_any_order_ends_as_the_last_word_says(engine_url: str) -> None:
    listener = Listener()
    feed = listener.attach(Feed(engine_url, reply_timeout_s=2.0))
    async with running(feed.run()):
        await listener.next_connection()
        for _ in range(20):
            first = asyncio.create_task(feed.watch("{p00}:topic"))
            await asyncio.sleep(0)
            await feed.unwatch("{p00}:topic")
            first.cancel()
            # Acknowledged for good: not by the answer to the first.
            await feed.watch("{p00}:topic")
            assert tell(engine_url, "SPUBLISH {p00}:topic hello") == b":1\r\n"
            assert await listener.next() == ("{p00}:topic", b"hello")
            await feed.unwatch("{p00}:topic")
        async with asyncio.timeout(5):
            while tell(engine_url, "SPUBLISH {p00}:topic hello") != b":0\r\n":
                await asyncio.sleep(0.01)


async def test_topics_come_and_go_while_the_connection_is_killed_again_and_again(engine_url: str) -> None:
    listener, feed = Listener(), Feed(engine_url, reply_timeout_s=5.0)
    listener.attach(feed)
    topics = [f"{{p00}}:topic-{i}" for i in range(20)]

    async def come_and_go(topic: str) -> None:
        for _ in range(15):
            await feed.watch(topic)
            await feed.unwatch(topic)
        await feed.watch(topic)

    async with running(feed.run()):
        going = asyncio.gather(*(come_and_go(topic) for topic in topics))
        while not going.done():
            await asyncio.sleep(0.02)
            tell(engine_url, "CLIENT KILL TYPE pubsub")
        await going
        async with asyncio.timeout(5):
            while any(tell(engine_url, f"SPUBLISH {topic} hello") != b":1\r\n" for topic in topics):
                await asyncio.sleep(0.02)
        assert {(await listener.next())[0] for _ in topics} <= set(topics)


async def test_a_callback_that_fails_does_not_end_the_feed(engine_url: str, caplog: pytest.LogCaptureFixture) -> None:
    listener, calls = Listener(), 0

    def fail_once(topic: str, payload: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError(topic)
        listener.heard.put_nowait((topic, payload))

    feed = Feed(engine_url, reply_timeout_s=2.0)
    feed.listen(fail_once, listener.connected.put_nowait)
    async with running(feed.run()):
        await listener.next_connection()
        await feed.watch("{p00}:topic")
        tell(engine_url, "SPUBLISH {p00}:topic one")
        await listener.next_connection()
        tell(engine_url, "SPUBLISH {p00}:topic two")
        assert await listener.next() == ("{p00}:topic", b"two")
    assert "by a defect" in caplog.text


async def test_whatever_a_publisher_is_called_the_events_of_a_turn_are_told_apart(store: Store) -> None:
    channel = await store.create()
    names = ["a\nb", "\x00", "ÿ", "a b", None, '1-1 "t"\n']
    async with listening(store.engine.url, keys_of(channel).topic) as queue:
        await asyncio.gather(*(store.publish(channel, name, publisher=name, kind="ÿ\n") for name in names))
        message = parse_feed(await asyncio.wait_for(queue.get(), 5))
    assert message is not None
    frames = await store.all(channel)
    assert [each.position for each in message.events] == [frame.position for frame in frames]
    assert [json.loads(b"{" + each.tail)["publisher_id"] for each in message.events] == names
    assert {each.type_json for each in message.events} == {frames[0].type_json}
