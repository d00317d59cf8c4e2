"""What the feed loses is found: each log is compared with what arrived of it, on a real engine."""

import asyncio
import time

from broker.channels import ChannelRecord
from tests.engines import tell
from tests.live import QUICK, Live, public_only
from tests.stores import Store


async def test_a_lost_last_message_is_found_within_the_interval(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    follower = await live.follow(channel)
    live.is_deaf = True
    begun = time.monotonic()
    await other.publish(channel, 1)
    assert await follower.got(1) == [1]
    assert time.monotonic() - begun < 2 * QUICK.position_check_s + 0.3


async def test_a_lost_message_of_a_quiet_channel_is_found_within_the_longer_interval(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    follower = await live.follow(channel)
    await asyncio.sleep(QUICK.active_s + QUICK.position_check_s)
    live.is_deaf = True
    await other.publish(channel, 1)
    assert await follower.got(1, timeout_s=QUICK.idle_position_check_s + 0.5) == [1]


async def test_a_channel_turned_private_closes_strangers_though_the_message_is_lost(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    stranger, friend = await live.follow(channel, judge=public_only), await live.follow(channel)
    live.is_deaf = True
    await other.change(channel, is_public=False)
    assert await stranger.code() == 4403
    await other.publish(await other.channels.find("news"), "secret")
    assert await friend.got(1) == ["secret"] and stranger.data == []


async def test_a_deleted_channel_closes_its_readers_though_the_message_is_lost(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    follower = await live.follow(channel)
    live.is_deaf = True
    await other.channels.delete("news")
    assert await follower.code() == 1000


async def test_an_engine_that_is_busy_for_a_while_does_not_end_the_checks(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    tell(live.store.engine.url, "CONFIG SET busy-reply-threshold 10")
    follower = await live.follow(channel)
    endless = asyncio.ensure_future(other.engine.client.eval("while true do end", 0))
    await asyncio.sleep(0.4)
    tell(live.store.engine.url, "SCRIPT KILL")
    await asyncio.gather(endless, return_exceptions=True)
    live.is_deaf = True
    await other.publish(channel, 1)
    assert await follower.got(1) == [1]
