"""A cancelled call takes its own answer with it: no other caller ever gets it (CVE-2023-28858; reliability B)."""

import asyncio
import random
from pathlib import Path

from broker.channels import ChannelRecord
from broker.errors import NotFound, Unavailable
from tests.engine_proxy import engine_proxy
from tests.stores import Store, cursor_of, data_of, open_store

DELAY_S = 0.004
ROUNDS = 12
CALLS = 60


async def run_some_and_cancel_half(calls: "list[asyncio.Task[bool]]", most_s: float) -> int:
    """Cancel every second call, at any moment of its life, some of them twice; the number that answered."""
    loop = asyncio.get_running_loop()
    for call in calls[::2]:
        at = random.uniform(0, most_s)
        for delay in (at, at, random.uniform(0, most_s))[: random.randint(1, 3)]:
            loop.call_later(delay, call.cancel)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(outcome is True or isinstance(outcome, asyncio.CancelledError) for outcome in outcomes), outcomes
    return sum(outcome is True for outcome in outcomes)


async def test_no_answer_crosses_to_another_caller(engine_url: str, store: Store, tmp_path: Path) -> None:
    names = [f"channel-{i}" for i in range(20)]
    cursors = {}
    for name in names:
        channel = await store.create(name)
        cursors[name] = cursor_of(channel, (await store.publish(channel, name)).positions[0])

    async with engine_proxy(engine_url, tmp_path) as proxy, open_store(proxy.url) as behind:
        proxy.delay_s = DELAY_S

        async def call(name: str) -> bool:
            """Ask for something only this name has, in one of several ways, and say whether the answer is its own."""
            record = await behind.channels.refresh(name)
            match random.randrange(4):
                case 0:
                    return data_of([await behind.log.get(record, cursors[name])]) == [name]
                case 1:
                    page = await behind.log.after(record, record.start, limit=5)
                    return data_of(page.frames)[:1] == [name]
                case 2:
                    metas = await behind.channels.metas([record] * 3)
                    return {meta.start.ms for meta in metas if meta} == {record.created_ms}
                case _:
                    appended = await behind.publish(record, f"more of {name}")
                    frame = await store.log.get(record, cursor_of(record, appended.positions[0]))
                    return record.id == name and data_of([frame]) == [f"more of {name}"]

        answered = 0
        for _ in range(ROUNDS):
            calls = [asyncio.create_task(call(random.choice(names))) for _ in range(CALLS)]
            answered += await run_some_and_cancel_half(calls, 10 * DELAY_S)
        assert answered >= ROUNDS * CALLS // 2
        # Every connection came back to its pool: the cancelled ones too.
        for client in (behind.engine.client, behind.engine.steady):
            assert not client.connection_pool._in_use_connections


async def test_a_publish_is_stored_whole_or_not_at_all_though_its_caller_left(
    engine_url: str, store: Store, channel: ChannelRecord, tmp_path: Path
) -> None:
    async with engine_proxy(engine_url, tmp_path) as proxy, open_store(proxy.url) as behind:
        proxy.delay_s = DELAY_S
        calls = [asyncio.create_task(behind.publish(channel, *[i] * 5)) for i in range(100)]
        for call in random.sample(calls, 50):
            asyncio.get_running_loop().call_later(random.uniform(0, 2 * DELAY_S), call.cancel)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    stored = data_of(await store.all(channel))
    acknowledged = {i for i, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)}
    assert acknowledged <= set(stored)
    assert all(stored.count(i) == 5 for i in set(stored))


async def test_connections_that_are_cut_answer_nobody_and_are_replaced(
    engine_url: str, store: Store, channel: ChannelRecord, tmp_path: Path
) -> None:
    async with engine_proxy(engine_url, tmp_path) as proxy, open_store(proxy.url) as behind:
        proxy.delay_s = DELAY_S
        acknowledged = []

        async def publish(i: int) -> None:
            try:
                await behind.publish(channel, i)
            except (Unavailable, NotFound):
                return
            acknowledged.append(i)

        for i in range(100):
            await asyncio.gather(*(publish(5 * i + j) for j in range(5)))
            if i % 7 == 0:
                asyncio.get_running_loop().call_later(random.uniform(0, DELAY_S), proxy.cut)
    stored = data_of(await store.all(channel))
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored)), "stored twice"
    assert len(acknowledged) > 300


async def test_one_cancellation_ends_a_task_that_calls_for_ever(store: Store, channel: ChannelRecord) -> None:
    """`asyncio.wait_for` of Python 3.11, by which redis-py writes, forgets one that comes as the write ends."""
    await store.publish(channel, 1)

    async def call_for_ever() -> None:
        while True:
            await store.log.after(channel, channel.start, limit=1)
            await store.channels.metas([channel])

    for _ in range(40):
        tasks = [asyncio.create_task(call_for_ever()) for _ in range(5)]
        await asyncio.sleep(random.uniform(0, 0.004))
        for task in tasks:
            task.cancel()
            await asyncio.sleep(0)
        _, pending = await asyncio.wait(tasks, timeout=2)
        assert not pending, "a cancellation was lost"
