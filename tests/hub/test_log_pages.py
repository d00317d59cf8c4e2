"""How the readers of a channel read its log, on a real engine: together, and never what it no longer says."""

import asyncio

from broker.channels import ChannelRecord
from tests.live import Live
from tests.stores import Store, cursor_of


async def ranges(store: Store) -> int:
    """How many ranges of streams the engine was asked for, in scripts too."""
    stats = await store.engine.client.info("commandstats")
    return int(stats["cmdstat_xrange"]["calls"]) if "cmdstat_xrange" in stats else 0


async def test_readers_that_come_back_together_read_the_log_together(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    for i in range(30):
        await other.publish(channel, *range(100 * i, 100 * i + 100))
    before = await ranges(other)
    alone = await live.follow(channel, channel.start)
    assert await alone.got(3_000) == list(range(3_000))
    for_one = await ranges(other) - before
    assert for_one > 3
    followers = await asyncio.gather(*(live.follow(channel, channel.start) for _ in range(20)))
    for each in followers:
        assert await each.got(3_000) == list(range(3_000))
    assert await ranges(other) - before <= 2 * for_one


async def test_an_event_that_was_deleted_is_not_given_to_who_comes_after(
    live: Live, other: Store, channel: ChannelRecord
) -> None:
    positions = (await other.publish(channel, *range(600))).positions
    first = await live.follow(channel, channel.start)
    assert len(await first.got(600)) == 600
    await other.log.delete(channel, cursor_of(channel, positions[5]), None, admin=True)
    # At the tip everything that happened before is known.
    await other.publish(channel, 600)
    await first.got(601)
    second = await live.follow(channel, channel.start)
    assert await second.got(600) == [each for each in range(601) if each != 5]


async def test_a_reader_with_a_filter_has_its_own_pages(live: Live, other: Store, channel: ChannelRecord) -> None:
    for i in range(6):
        await other.publish(channel, *range(100 * i, 100 * i + 100), kind="odd" if i % 2 else "even")
    everything = await live.follow(channel, channel.start)
    odd = await live.follow(channel, channel.start, types=frozenset({b'"odd"'}))
    assert len(await everything.got(600)) == 600
    assert await odd.got(300) == [*range(100, 200), *range(300, 400), *range(500, 600)]
