"""Turns over many subscriptions: fair, exact about what was written, and never held up by a slow log."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from broker.closing import FORBIDDEN, Closed
from broker.cursors import Start
from broker.rotation import Rotation
from broker.subscription import Step, Subscription
from tests.broker_server import BrokerServer
from tests.engines import tell


class Reader:
    """A rotation over channels of a real hub, and what it gave."""

    def __init__(self, server: BrokerServer, **limits: int) -> None:
        self.server = server
        self.ready = asyncio.Event()
        self.rotation = Rotation(self.ready.set, **{"step_events": 10, "turn_bytes": 65_536, **limits})
        self.subscriptions: dict[str, Subscription] = {}

    async def follow(self, channel_id: str, *, from_start: bool = True) -> Subscription:
        channel = await self.server.broker.channels.find(channel_id)
        start = Start(channel.start, own=True) if from_start else None
        subscription = await self.server.broker.hub.subscribe(
            channel, start, None, lambda _: None, lambda: self.rotation.wake(channel_id)
        )
        self.subscriptions[channel_id] = subscription
        self.rotation.add(channel_id, subscription)
        return subscription

    async def turn(self) -> list[tuple[str, Step | Closed]]:
        """The next turn that has something."""
        async with asyncio.timeout(10):
            while True:
                self.ready.clear()
                parts = self.rotation.turn()
                if parts:
                    return [(part.name, part.outcome) for part in parts]
                if not self.rotation.is_ready:
                    await self.ready.wait()

    async def read(self, total: int) -> list[tuple[str, int]]:
        """Steps until so many events came: name and number of events of each."""
        steps: list[tuple[str, int]] = []
        while sum(count for _, count in steps) < total:
            for name, outcome in await self.turn():
                assert isinstance(outcome, Step)
                steps.append((name, len(outcome.frames)))
        return steps


@pytest.fixture
async def server(broker_server: BrokerServer) -> AsyncIterator[BrokerServer]:
    for channel in ("one", "two"):
        await broker_server.create(channel)
    yield broker_server


async def test_channels_with_much_to_replay_take_turns(server: BrokerServer) -> None:
    for channel in ("one", "two"):
        for _ in range(4):
            await server.publish(channel, *range(100))
    reader = Reader(server)
    for channel in ("one", "two"):
        await reader.follow(channel)
    steps = await reader.read(800)
    assert max(count for _, count in steps) == 10
    ahead = 0
    for name, count in steps:
        ahead += count if name == "one" else -count
        assert abs(ahead) <= 30
    await reader.rotation.aclose()


async def test_a_live_channel_does_not_wait_for_one_that_replays(server: BrokerServer) -> None:
    for _ in range(4):
        await server.publish("one", *range(100))
    reader = Reader(server)
    await reader.follow("one")
    await reader.follow("two", from_start=False)
    await reader.read(100)
    await server.publish("two", "live")
    before_live = 0
    while True:
        parts = await reader.turn()
        if any(name == "two" for name, _ in parts):
            break
        before_live += len(parts)
    assert before_live <= 10
    await reader.rotation.aclose()


async def test_a_turn_is_full_at_its_bytes(server: BrokerServer) -> None:
    reader = Reader(server, turn_bytes=1_000)
    for i in range(8):
        await server.create(f"full-{i}")
        await reader.follow(f"full-{i}", from_start=False)
    assert reader.rotation.turn() == []
    for i in range(8):
        await server.publish(f"full-{i}", "x" * 600)
    async with asyncio.timeout(10):
        while len(reader.rotation._ready) < 8:
            await asyncio.sleep(0.01)
    turns: list[list[str]] = []
    while sum(len(turn) for turn in turns) < 8:
        turns.append([name for name, _ in await reader.turn()])
    assert [len(turn) for turn in turns] == [2, 2, 2, 2]
    assert sorted(name for turn in turns for name in turn) == [f"full-{i}" for i in range(8)]
    await reader.rotation.aclose()


async def test_a_cursor_moves_when_its_step_was_written_and_not_before(server: BrokerServer) -> None:
    events = await server.publish("one", *range(5))
    reader = Reader(server)
    subscription = await reader.follow("one")
    before = subscription.cursor
    [(_, step)] = await reader.turn()
    assert isinstance(step, Step) and [frame.id for frame in step.frames] == [event["id"] for event in events]
    assert subscription.cursor == before
    reader.rotation.settle()
    assert subscription.cursor == events[-1]["id"]
    await reader.rotation.aclose()


async def test_who_was_removed_or_replaced_gives_nothing_more(server: BrokerServer) -> None:
    await server.publish("one", *range(30))
    reader = Reader(server)
    first = await reader.follow("one")
    await reader.turn()
    second = await reader.follow("one")
    assert first is not second
    assert sum(count for _, count in await reader.read(30)) == 30
    reader.rotation.remove("one")
    await server.publish("one", "unheard")
    await reader.follow("two", from_start=False)
    await server.publish("two", 1)
    assert [name for name, _ in await reader.turn()] == ["two"]
    await reader.rotation.aclose()


async def test_an_end_does_not_wait_for_the_log(server: BrokerServer, engine_url: str) -> None:
    await server.publish("one", 1)
    reader = Reader(server)
    subscription = await reader.follow("one")
    other = await reader.follow("two", from_start=False)
    assert tell(engine_url, "CLIENT PAUSE 1500 ALL") == b"+OK\r\n"
    assert reader.rotation.turn() == []
    subscription.close(FORBIDDEN)
    other.close(FORBIDDEN)
    ended: dict[str, Step | Closed] = {}
    while len(ended) < 2:
        ended |= dict(await reader.turn())
    assert [outcome.code for outcome in ended.values() if isinstance(outcome, Closed)] == [FORBIDDEN.code] * 2
    assert reader.rotation._reading is not None, "the page came first"
    await reader.rotation.aclose()
    await server.broker.engine.ping()  # the engine is the next test's too
