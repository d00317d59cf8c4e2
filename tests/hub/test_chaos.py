"""Many publishers and readers while everything breaks: what was acknowledged is there, and nobody is left in silence.

Readers come and go at any moment with their cursors. Feed messages are dropped, connections killed, the engine itself
killed and restarted, events deleted and trimmed. Hypothesis draws the faults; the interleaving is the machine's.
"""

import asyncio
import json
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from broker.channels import ChannelRecord
from broker.errors import NotFound, Unavailable
from broker.ids import Position, parse_ulid
from broker.storage.embedded import EmbeddedEngine
from broker.storage.log import Stale
from tests.engines import empty, running_engine, tell
from tests.live import QUICK, Follower, Live, open_live
from tests.stores import Store, cursor_of, open_store, running

LIMITS = replace(QUICK, window_events=8, window_bytes=4_000, page_events=10, vouch_s=5.0)
PUBLISHERS = 4
READERS = 6
FAULT_S = 0.08

FAULTS = ("deaf", "kill feed", "kill clients", "trim", "delete", "calm")
faults = st.lists(st.sampled_from(FAULTS), min_size=6, max_size=10)


@dataclass(slots=True)
class Session:
    """What one reader got between coming and going: it says that this is all from `start` to `end`."""

    start: Position
    end: Position
    got: list[Position]


@dataclass(slots=True)
class Journal:
    """What the run did and saw. `final` is what the log holds in the end, None until then."""

    data: dict[Position, int] = field(default_factory=dict)
    acknowledged: set[Position] = field(default_factory=set)
    deleted: set[Position] = field(default_factory=set)
    sessions: list[Session] = field(default_factory=list)
    gaps: int = 0
    is_ending: bool = False
    final: set[Position] | None = None

    def note(self, position: Position, data: int) -> None:
        """An event is what it is, whoever saw it."""
        assert self.data.setdefault(position, data) == data


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    """An engine that may be killed."""
    with running_engine(tmp_path_factory.mktemp("mortal")) as engine:
        yield engine


async def present(store: Store) -> ChannelRecord:
    """The channel's record, as soon as the engine says it."""
    while True:
        with suppress(Unavailable):
            return await store.channels.refresh("news")
        await asyncio.sleep(0.01)


async def publish(live: Live, journal: Journal, number: int) -> None:
    """Publish until the end, batches of one to three; what was refused, or is unknown, is not tried again."""
    channel, i = await present(live.store), 0
    while not journal.is_ending:
        batch = [1_000_000 * number + i + j for j in range(random.randint(1, 3))]
        i += len(batch)
        try:
            positions = (await live.store.publish(channel, *batch)).positions
        except (Stale, Unavailable):
            channel = await present(live.store)
        else:
            journal.acknowledged.update(positions)
            for position, data in zip(positions, batch, strict=True):
                journal.note(position, data)
        await asyncio.sleep(random.uniform(0, 0.01))


async def read(live: Live, journal: Journal, place: Position) -> None:
    """Follow in sessions of any length, each from where the one before ended, until all was read."""
    while True:
        await asyncio.sleep(random.choice((0.0, 0.0, 0.01, 0.2)))
        left = journal.final
        try:
            follower = await live.follow(await present(live.store), place)
        except (Unavailable, NotFound):
            await asyncio.sleep(0.02)
            continue
        await stay(follower, left)
        end = parse_ulid(follower.subscription.cursor).position
        for frame in follower.frames:
            journal.note(frame.position, json.loads(frame.wire)["data"])
        journal.sessions.append(Session(place, end, [frame.position for frame in follower.frames]))
        place = end
        await live.leave(follower)
        if follower.closed is None and left is not None:
            return
        if follower.closed is not None and follower.closed.code == 4410:
            assert follower.closed.cursor is not None
            place = parse_ulid(follower.closed.cursor).position
            assert place > end
            journal.gaps += 1


async def stay(follower: Follower, left: set[Position] | None) -> None:
    """For a while; in the end, until everything that is left is read, or the reader is closed."""
    if left is None:
        with suppress(TimeoutError):
            await follower.until(lambda each: each.closed is not None, random.uniform(0, 0.25))
        return
    await follower.until(
        lambda each: (
            each.closed is not None
            or not any(position > parse_ulid(each.subscription.cursor).position for position in left)
        )
    )


async def keep_on(act: Callable[[], Awaitable[object]]) -> None:
    """Until the engine takes it; what is gone already needs nothing."""
    while True:
        try:
            await act()
            return
        except Unavailable:
            await asyncio.sleep(0.02)
        except NotFound:
            return


async def delete(store: Store, position: Position) -> None:
    channel = await present(store)
    with suppress(Stale):
        await store.log.delete(channel, cursor_of(channel, position), None, admin=True)


async def trim(store: Store) -> None:
    """Keep five events for once."""
    channel = await present(store)
    await store.change(channel, config={"storage": {"retention_events": 5}})
    await store.trimmer.sweep()
    await store.change(channel, config=None)


async def do_harm(fault: str, live: Live, other: Store, engine: EmbeddedEngine, journal: Journal) -> None:
    """One fault, for a moment."""
    match fault:
        case "deaf":
            live.is_deaf = True
        case "kill feed":
            tell(engine.url, "CLIENT KILL TYPE pubsub")
        case "kill clients":
            tell(engine.url, "CLIENT KILL TYPE normal")
        case "kill engine":
            os.kill(engine.pid or 0, signal.SIGKILL)
        case "trim":
            await keep_on(lambda: trim(other))
        case "delete":
            for position in random.sample(sorted(journal.acknowledged), min(5, len(journal.acknowledged))):
                journal.deleted.add(position)
                await keep_on(lambda gone=position: delete(other, gone))  # type: ignore[misc]
    await asyncio.sleep(FAULT_S)
    live.is_deaf = False


async def run(engine: EmbeddedEngine, drawn: list[str]) -> Journal:
    """The whole run; what it saw."""
    journal = Journal()
    empty(engine.url)
    async with open_store(engine.url) as other, open_live(engine.url, LIMITS) as live, running(engine.watch()):
        channel = await other.create()
        publishing = asyncio.gather(*(publish(live, journal, number) for number in range(PUBLISHERS)))
        reading = asyncio.gather(*(read(live, journal, channel.start) for _ in range(READERS)))
        for fault in drawn:
            await do_harm(fault, live, other, engine, journal)
        journal.is_ending = True
        await publishing
        frames = await other.all(await present(other))
        journal.final = {frame.position for frame in frames}
        for frame in frames:
            journal.note(frame.position, json.loads(frame.wire)["data"])
        async with asyncio.timeout(10):
            await reading
        meta = (await other.channels.listed("news")).meta
        assert meta.event_count >= len(journal.acknowledged)
        lost = {each for each in journal.acknowledged - journal.final if each > meta.trimmed} - journal.deleted
        assert not lost, "acknowledged and gone"
    return journal


def check(journal: Journal) -> None:
    """Each session is exactly what lay between its ends, but for what was deleted."""
    everything = sorted(journal.data)
    for start, end, got in ((each.start, each.end, each.got) for each in journal.sessions):
        assert got == sorted(set(got)), "twice, or out of order"
        assert not got or start < got[0] <= got[-1] <= end
        missed = {position for position in everything if start < position <= end} - set(got) - journal.deleted
        assert not missed, "skipped"
    assert len(set(journal.data.values())) == len(journal.data), "stored twice"


@given(drawn=faults)
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_readers_miss_nothing_whatever_breaks(mortal: EmbeddedEngine, drawn: list[str]) -> None:
    check(await run(mortal, drawn))


async def test_readers_miss_nothing_though_the_engine_is_killed_among_it_all(mortal: EmbeddedEngine) -> None:
    drawn = ["deaf", "kill engine", "trim", "delete", "kill clients", "trim", "calm", "kill engine", "deaf", "trim"]
    journal = await run(mortal, drawn)
    check(journal)
    assert len(journal.acknowledged) > 50 and len(journal.sessions) > 2 * READERS
