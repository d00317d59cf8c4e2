"""The hub on a real engine: what arrives, what is found, and when it lets go (design section 3, "Live feed")."""

import asyncio
import time
from dataclasses import replace

import pytest

from broker.channels import ChannelRecord
from broker.closing import FORBIDDEN, RESTART
from broker.errors import NotFound, Unavailable
from broker.storage.channels import keys_of
from broker.storage.log import Stale
from tests.engines import tell
from tests.live import QUICK, Live, open_live, public_only
from tests.stores import Store, cursor_of


def listeners(url: str, channel: ChannelRecord) -> int:
    """How many processes listen to the channel's topic, as the engine says."""
    topic = keys_of(channel).topic
    return int(tell(url, f"PUBSUB SHARDNUMSUB {topic}").rsplit(b":", 1)[1])


async def test_every_reader_of_a_channel_gets_every_event(live: Live, other: Store, channel: ChannelRecord) -> None:
    followers = [await live.follow(channel) for _ in range(20)]
    await asyncio.gather(*(other.publish(channel, i) for i in range(50)))
    await other.publish(channel, "x" * 60_000, "y" * 60_000)
    expected = [*range(50), "x" * 60_000, "y" * 60_000]
    assert [await follower.got(52) for follower in followers] == [expected] * 20


async def test_a_reader_goes_on_after_its_cursor_and_without_one_at_the_tip(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    positions = (await other.publish(channel, *range(5))).positions
    resumed, begun = await live.follow(channel, positions[2]), await live.follow(channel)
    await other.publish(channel, 5)
    assert await resumed.got(3) == [3, 4, 5]
    assert await begun.got(1) == [5]


async def test_a_reader_from_the_beginning_of_a_long_log_ends_at_the_tip(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    for i in range(30):
        await other.publish(channel, *range(100 * i, 100 * i + 100))
    follower = await live.follow(channel, channel.start)
    await other.publish(channel, 3_000)
    assert await follower.got(3_001) == list(range(3_001))


async def test_what_happened_while_the_feed_was_away_is_found_when_it_is_back(
    engine_url: str, other: Store, channel: ChannelRecord
) -> None:
    rare = replace(QUICK, position_check_s=30.0, idle_position_check_s=60.0, vouch_s=90.0)
    async with open_live(engine_url, rare) as live:
        follower = await live.follow(channel)
        for i in range(3):
            tell(engine_url, "CLIENT KILL TYPE pubsub")
            await other.publish(channel, i)
            assert await follower.got(i + 1) == list(range(i + 1))


async def test_a_message_that_makes_no_sense_is_as_good_as_lost(
    live: Live, other: Store, channel: ChannelRecord, caplog: pytest.LogCaptureFixture
) -> None:
    follower = await live.follow(channel)
    tell(live.store.engine.url, f"SPUBLISH {keys_of(channel).topic} nonsense")
    await other.publish(channel, 1)
    assert await follower.got(1) == [1]
    assert "could not be taken" in caplog.text


async def test_a_stranger_let_in_by_an_old_record_sees_nothing(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    await other.change(channel, is_public=False)
    await other.publish(await other.channels.find("news"), "secret")
    stranger = await live.follow(channel, channel.start, judge=public_only)
    assert await stranger.code() == 4403
    assert stranger.data == []


async def test_a_gap_is_told_with_the_place_to_go_on_from(live: Live, other: Store) -> None:
    channel = await other.create("short", retention_events=2)
    positions = (await other.publish(channel, *range(10))).positions
    await other.trimmer.sweep()
    follower = await live.follow(channel, positions[3])
    assert await follower.code() == 4410
    resumed = await live.follow(channel, positions[7])
    assert await resumed.got(2) == [8, 9]


async def test_a_channel_that_is_gone_is_not_found_and_one_created_again_is_asked_for_again(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    await other.channels.delete("news")
    with pytest.raises(NotFound):
        await live.follow(channel)
    again = await other.create()
    with pytest.raises(Stale):
        await live.follow(channel)
    assert await live.store.channels.find("news") == again
    follower = await live.follow(again)
    await other.publish(again, 1)
    assert await follower.got(1) == [1]
    async with asyncio.timeout(3):
        while listeners(live.store.engine.url, channel):
            await asyncio.sleep(0.02)


async def test_a_channel_deleted_while_it_is_being_watched_leaves_nobody_in_silence(live: Live, other: Store) -> None:
    for i in range(15):
        channel = await other.create(f"channel-{i}")
        joining = [asyncio.create_task(live.follow(channel)) for _ in range(3)]
        await asyncio.sleep(0.0002 * i)
        await other.channels.delete(channel.id)
        for outcome in await asyncio.gather(*joining, return_exceptions=True):
            assert isinstance(outcome, NotFound) or await outcome.code() == 1000  # type: ignore[union-attr]
    # The hub is as well as before.
    channel = await other.create()
    follower = await live.follow(channel)
    await other.publish(channel, 1)
    assert await follower.got(1) == [1]


async def test_a_channel_nobody_reads_is_let_go_though_it_is_busy(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    follower = await live.follow(channel)
    assert (listeners(live.store.engine.url, channel), live.hub.readers(channel)) == (1, 1)
    await live.leave(follower)
    assert live.hub.readers(channel) == 0
    begun = time.monotonic()
    while listeners(live.store.engine.url, channel):
        assert time.monotonic() - begun < QUICK.linger_s + 1.0
        await other.publish(channel, 1)
        await asyncio.sleep(0.01)
    assert time.monotonic() - begun >= QUICK.linger_s - 0.1


async def test_a_reader_that_comes_back_in_time_finds_the_channel_watched(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    for i in range(8):
        follower = await live.follow(channel)
        await other.publish(channel, i)
        assert await follower.got(1) == [i]
        await live.leave(follower)
        await asyncio.sleep(QUICK.linger_s / 4)
    assert listeners(live.store.engine.url, channel) == 1


async def test_readers_that_come_and_go_about_the_time_of_letting_go_miss_nothing(
    engine_url: str, other: Store, channel: ChannelRecord
) -> None:
    async with open_live(engine_url, replace(QUICK, position_check_s=0.01, linger_s=0.005)) as live:
        for i in range(60):
            followers = await asyncio.gather(*(live.follow(channel) for _ in range(3)))
            await other.publish(channel, i)
            assert [await follower.got(1) for follower in followers] == [[i]] * 3
            for follower in followers:
                await live.leave(follower)
            await asyncio.sleep(0.001 * (i % 20))


async def test_watching_goes_on_while_the_feed_is_killed_again_and_again(live: Live, other: Store) -> None:
    channels = [await other.create(f"channel-{i}") for i in range(20)]

    async def join_and_hear(channel: ChannelRecord) -> None:
        for i in range(5):
            while True:
                try:
                    follower = await live.follow(channel)
                    break
                except Unavailable:
                    await asyncio.sleep(0.02)
            await other.publish(channel, i)
            assert await follower.got(1) == [i]
            await live.leave(follower)

    joining = asyncio.gather(*map(join_and_hear, channels))
    while not joining.done():
        tell(live.store.engine.url, "CLIENT KILL TYPE pubsub")
        await asyncio.sleep(0.05)
    await joining


async def test_readers_at_the_tip_are_served_though_no_connection_is_free_for_reads(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    """A slow mending, or a crowd that replays, holds up nobody else."""
    follower = await live.follow(channel)
    held = [asyncio.ensure_future(live.store.engine.client.blpop([f"none-{i}"], 0.4)) for i in range(32)]
    await asyncio.sleep(0.05)
    behind = await live.follow(channel, channel.start)
    for i in range(10):
        await live.store.publish(channel, i)
        await follower.got(i + 1, timeout_s=0.3)
    assert not any(task.done() for task in held)
    assert await behind.got(10) == follower.data == list(range(10))
    await asyncio.gather(*held, return_exceptions=True)


async def test_a_key_removed_closes_whom_it_let_in(live: Live, channel: ChannelRecord) -> None:
    may_read = True
    follower = await live.follow(channel, judge=lambda _: None if may_read else FORBIDDEN)
    may_read = False
    live.hub.judge_all()
    assert await follower.code() == 4403


async def test_a_drain_closes_everybody_over_a_time(live: Live, channel: ChannelRecord) -> None:
    followers = [await live.follow(channel) for _ in range(30)]
    begun = time.monotonic()
    await live.hub.close_all(RESTART, spread_s=0.3)
    assert [await follower.code() for follower in followers] == [1012] * 30
    assert 0.15 <= time.monotonic() - begun < 1.0


async def test_the_end_of_the_hub_is_the_end_of_all_its_tasks(engine_url: str, other: Store) -> None:
    before = asyncio.all_tasks()
    channels = [await other.create(f"channel-{i}") for i in range(5)]
    async with open_live(engine_url) as live:
        followers = [await live.follow(channel) for channel in channels]
        positions = [(await other.publish(channel, 1, 2)).positions[0] for channel in channels]
        for channel, position in zip(channels, positions, strict=True):
            await other.log.delete(channel, cursor_of(channel, position), None, admin=True)
        live.followers.clear()
    assert [await follower.code() for follower in followers] == [1012] * 5
    await asyncio.gather(*(follower.task for follower in followers if follower.task))
    assert asyncio.all_tasks() == before
