"""A process cut off from its engine, and an engine that stops, comes back, or comes back with less (reliability B)."""

import asyncio
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from broker.channels import ChannelRecord
from broker.errors import Unavailable
from tests.engine_proxy import engine_proxy
from tests.engines import running_engine
from tests.live import QUICK, open_live
from tests.stores import Store, open_store, running

VOUCH_SLACK_S = 0.35


async def test_a_process_cut_off_closes_its_readers_in_time_and_serves_again_afterwards(
    engine_url: str, other: Store, channel: ChannelRecord, tmp_path: Path
) -> None:
    async with engine_proxy(engine_url, tmp_path) as proxy, open_live(proxy.url) as live:
        followers = [await live.follow(channel) for _ in range(3)]
        await other.publish(channel, "before")
        for follower in followers:
            await follower.got(1)
        proxy.is_hole = True
        begun = time.monotonic()
        missed = (await other.publish(channel, "meanwhile")).positions
        assert [await follower.code() for follower in followers] == [1013] * 3
        assert time.monotonic() - begun < QUICK.vouch_s + VOUCH_SLACK_S
        assert [follower.closed.cursor for follower in followers if follower.closed] == [followers[0].frames[0].id] * 3
        with pytest.raises(Unavailable):
            await live.follow(channel)
        proxy.is_hole = False
        resumed = None
        async with asyncio.timeout(5):
            while resumed is None:
                try:
                    resumed = await live.follow(channel, followers[0].frames[0].position)
                except Unavailable:
                    await asyncio.sleep(0.05)
        assert await resumed.got(1) == ["meanwhile"]
        assert resumed.frames[0].position == missed[0]


async def test_a_reader_of_the_log_is_closed_in_time_too(
    engine_url: str, other: Store, channel: ChannelRecord, tmp_path: Path
) -> None:
    for _ in range(2):
        await other.publish(channel, *["x" * 20_000] * 100)
    async with engine_proxy(engine_url, tmp_path) as proxy, open_live(proxy.url) as live:
        proxy.delay_s = 0.05
        follower = await live.follow(channel, channel.start)
        await follower.got(1)
        proxy.is_hole = True
        assert await follower.code(timeout_s=QUICK.vouch_s + 1.0) == 1013


async def test_a_short_cut_closes_nobody_and_loses_nothing(
    engine_url: str, other: Store, channel: ChannelRecord, tmp_path: Path
) -> None:
    async with engine_proxy(engine_url, tmp_path) as proxy, open_live(proxy.url) as live:
        follower = await live.follow(channel)
        for i in range(4):
            proxy.is_hole = True
            await other.publish(channel, 2 * i)
            await asyncio.sleep(QUICK.vouch_s / 4)
            proxy.is_hole = False
            proxy.cut()
            await other.publish(channel, 2 * i + 1)
            assert await follower.got(2 * i + 2) == list(range(2 * i + 2))


async def test_a_half_open_feed_makes_every_channel_be_checked_at_the_short_interval(
    engine_url: str, other: Store, channel: ChannelRecord, tmp_path: Path
) -> None:
    """Quiet channels are checked rarely, as messages come; when none can come, that would be silence."""
    limits = replace(QUICK, idle_position_check_s=60.0, vouch_s=90.0, active_s=0.0)
    async with engine_proxy(engine_url, tmp_path) as proxy, open_live(engine_url, limits, feed_url=proxy.url) as live:
        follower = await live.follow(channel)
        proxy.is_hole = True
        async with asyncio.timeout(4):
            while live.feed.is_live:
                await asyncio.sleep(0.02)
        await other.publish(channel, 1)
        assert await follower.got(1, timeout_s=1.0) == [1]


async def test_a_process_that_stood_still_itself_does_not_blame_the_engine(
    engine_url: str, other: Store, channel: ChannelRecord
) -> None:
    async with open_live(engine_url) as live:
        follower = await live.follow(channel)
        await asyncio.sleep(0.2)
        time.sleep(QUICK.vouch_s + 0.3)  # noqa: ASYNC251 - that is the point
        await other.publish(channel, 1)
        assert await follower.got(1) == [1]


async def test_an_engine_that_is_stopped_is_noticed_and_served_again_when_it_goes_on(tmp_path: Path) -> None:
    with running_engine(tmp_path / "data") as engine:
        async with open_live(engine.url) as live:
            channel = await live.store.create()
            follower = await live.follow(channel)
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGSTOP)
            begun = time.monotonic()
            try:
                assert await follower.code() == 1013
                assert time.monotonic() - begun < QUICK.vouch_s + VOUCH_SLACK_S
            finally:
                os.kill(engine.pid, signal.SIGCONT)
            async with asyncio.timeout(5):
                while True:
                    try:
                        again = await live.follow(channel)
                        await live.store.publish(channel, 1)
                        break
                    except Unavailable:
                        await asyncio.sleep(0.05)
            assert await again.got(1) == [1]


async def test_an_engine_killed_and_restarted_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    patient = replace(QUICK, vouch_s=10.0)
    with running_engine(tmp_path / "data") as engine:
        async with running(engine.watch()), open_live(engine.url, patient) as live:
            channel = await live.store.create()
            follower = await live.follow(channel)
            acknowledged: list[int] = []

            async def publish(i: int) -> None:
                try:
                    await live.store.publish(channel, i)
                except Unavailable:
                    await asyncio.sleep(0.02)
                else:
                    acknowledged.append(i)

            for i in range(60):
                await asyncio.gather(*(publish(5 * i + j) for j in range(5)))
                if i == 20:
                    assert engine.pid is not None
                    os.kill(engine.pid, signal.SIGKILL)
            await follower.until(lambda reader: set(acknowledged) <= set(reader.data))
            assert follower.closed is None and len(acknowledged) > 100
            positions = [frame.position for frame in follower.frames]
            assert positions == sorted(set(positions)) and len(set(follower.data)) == len(follower.data)


async def test_an_engine_that_comes_back_with_less_tells_those_who_saw_more(tmp_path: Path) -> None:
    """As after a fail-over, or a power cut: a copy of the data from before the last events is put in its place."""
    patient = replace(QUICK, vouch_s=20.0)
    data, copy = tmp_path / "data", tmp_path / "copy"
    with running_engine(data) as engine:
        async with open_store(engine.url) as store:
            channel = await store.create()
            kept = (await store.publish(channel, "kept")).positions[0]
    shutil.copytree(data / "appendonlydir", copy)
    with running_engine(data) as engine:
        async with open_live(engine.url, patient, reply_timeout_s=5.0) as live:
            saw_more, saw_less = await live.follow(channel, kept), await live.follow(channel, channel.start)
            await saw_less.got(1)
            lost = (await live.store.publish(channel, "lost")).positions[0]
            assert await saw_more.got(1) == ["lost"]
            # Its clock is far ahead of what the copy knows, so that only the floor can keep the next id above.
            ahead_ms = 3_600_000
            live.store.engine.clock_offset_ms = ahead_ms
            lost = (await live.store.publish(channel, "lost too")).positions[0]
            await saw_more.got(2)
            live.store.engine.clock_offset_ms = 0
            engine.stop()
            shutil.rmtree(data / "appendonlydir")
            shutil.copytree(copy, data / "appendonlydir")
            engine.start()
            assert await saw_more.code(timeout_s=8.0) == 4410
            assert await saw_less.code() == 4410
            assert {follower.closed.cursor for follower in live.followers if follower.closed} == {saw_less.frames[0].id}
            resumed = await live.follow(channel, kept)
            [position] = (await live.store.publish(channel, "after")).positions
            assert position.ms == lost.ms + 1
            assert await resumed.got(1) == ["after"]
