"""Processes that are killed while they call: at least once under one id, one chain of retries, nothing stuck."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from broker.change import Change
from broker.storage.state import Loaded
from broker.storage.timers import Timers
from broker.webclient import open_client
from handlers.cuey.calling import Calls
from handlers.cuey.documents import AGAIN, EVENT, TIMER, event_index, parse_event, put_event, timer_of
from handlers.cuey.machine import RetryConfig, ScheduledWebhook, Status, Target
from tests.clockwork import worker_of
from tests.engine_proxy import engine_proxy
from tests.handlers.cuey.caller import LIMITS, SCHEDULER
from tests.killable import PATIENCE_S, ready, said
from tests.receivers import Answering, Request, receiving, status
from tests.stores import Store, open_store
from tests.webhooks.networks import LOOPBACK

PLACES = ("claim", "send", "record", "recorded")


def caller(url: str, place: str) -> AbstractAsyncContextManager[Process]:
    """A process that makes calls up to a place."""
    return ready("tests.handlers.cuey.caller", url, place)


@asynccontextmanager
async def calling(store: Store) -> AsyncIterator[None]:
    """Another process, which goes on."""
    async with open_client(LOOPBACK, user_agent="t") as client:
        calls = Calls(store.commits, client.send, LIMITS)
        async with worker_of(store, Timers(store.engine), {TIMER: calls.on_due, AGAIN: calls.on_again}, SCHEDULER):
            yield
        await calls.drained()


async def schedule(store: Store, *ids: str, url: str, retries: int = 1) -> None:
    """Events that are due now."""
    target = Target(url, retry_config=RetryConfig(retries, 100, "linear"))

    def decide(loaded: Loaded) -> Change:
        made = [ScheduledWebhook(each, target, loaded.now_ms, loaded.now_ms, loaded.now_ms) for each in ids]
        return Change(tuple(put_event("acme", each, 0) for each in made), (), tuple(timer_of("acme", e) for e in made))

    await store.commits.execute("acme", [], decide)


async def kept(store: Store) -> list[ScheduledWebhook]:
    page = await store.reader.page(store.engine.partition("acme"), EVENT, event_index("acme"), limit=1_000)
    return [parse_event(document.body) for _, document in page.documents]


async def ended(store: Store, count: int) -> list[ScheduledWebhook]:
    """All events, once there are so many and none of them waits or is under way."""
    async with asyncio.timeout(PATIENCE_S):
        while len(found := await kept(store)) < count or not all(each.status.is_terminal for each in found):
            await asyncio.sleep(0.02)
    return found


@pytest.mark.parametrize("place", PLACES)
async def test_who_is_killed_anywhere_leaves_the_call_to_another(store: Store, engine_url: str, place: str) -> None:
    async with receiving() as receiver:
        async with caller(engine_url, place) as process:
            await schedule(store, "e", url=receiver.url)
            assert await said(process) == place
            process.kill()
            await process.wait()
        async with calling(store):
            [event] = await ended(store, 1)
        assert (event.status, event.attempt) == (Status.SUCCESS, 1)
        times = {"claim": 1, "send": 1, "record": 2, "recorded": 1}[place]
        assert [each.headers["X-Cuey-Event-Id"] for each in receiver.requests] == ["e"] * times
        assert (await Timers(store.engine).pending(limit=10)).timers == []


@pytest.mark.parametrize("place", PLACES)
async def test_a_failure_that_is_told_by_two_makes_one_chain_of_retries(
    store: Store, engine_url: str, place: str
) -> None:
    async with receiving(status(500)) as receiver:
        async with caller(engine_url, place) as process:
            await schedule(store, "e", url=receiver.url, retries=2)
            assert await said(process) == place
            process.kill()
            await process.wait()
        async with calling(store):
            found = await ended(store, 3)
        assert [each.status for each in found] == [Status.FAILED] * 3
        assert sorted((each.attempt, each.retry_of) for each in found if each.id != "e") == [(2, "e"), (3, "e")]
        tries = Counter(each.headers["X-Cuey-Event-Id"] for each in receiver.requests)
        assert tries.pop("e") == (2 if place == "record" else 1) and set(tries.values()) == {1}


async def test_who_stood_still_past_its_time_tells_nothing_over_what_others_did(store: Store, engine_url: str) -> None:
    async with receiving(status(500)) as receiver:
        async with caller(engine_url, "nowhere") as process:
            receiver.answer = after(partial(stop, process), status(500))
            await schedule(store, "e", url=receiver.url)
            await receiver.heard(1, PATIENCE_S)
            receiver.answer = status(200)
            async with calling(store):
                async with asyncio.timeout(PATIENCE_S):
                    while (await kept(store))[0].status is not Status.SUCCESS:
                        await asyncio.sleep(0.02)
                process.send_signal(signal.SIGCONT)
                await schedule(store, "later", url=receiver.url)
                found = await ended(store, 2)
        assert {each.id: each.status for each in found} == {"e": Status.SUCCESS, "later": Status.SUCCESS}


async def stop(process: Process) -> None:
    process.send_signal(signal.SIGSTOP)


def after(first: Callable[[], Awaitable[None]], then: Answering) -> Answering:
    """An answer before which something is done."""

    async def answer(request: Request) -> web.Response:
        await first()
        return await then(request)

    return answer


async def test_who_stops_in_order_leaves_its_calls_to_another_at_once(store: Store, engine_url: str) -> None:
    async with receiving() as receiver:
        async with caller(engine_url, "send") as process:
            await schedule(store, "e", url=receiver.url)
            assert await said(process) == "send"
            process.terminate()
            await asyncio.wait_for(process.wait(), PATIENCE_S)
            assert process.returncode == 0
        [waiting] = (await Timers(store.engine).pending(limit=10)).timers
        assert waiting.timer.name.kind == AGAIN and waiting.timer.due_ms <= await store.engine.now_ms()
        async with calling(store):
            await ended(store, 1)
        assert len(receiver.requests) == 1


async def test_an_outcome_that_cannot_be_recorded_is_logged_and_the_call_is_left_to_another(
    store: Store, engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("handlers.cuey.calling.RECORD_PAUSE_S", 0.0)
    limits = LIMITS._replace(recover_s=60.0)
    async with (
        engine_proxy(engine_url, tmp_path) as proxy,
        open_store(proxy.url) as behind,
        receiving(after(proxy.end, status(200))) as receiver,
        open_client(LOOPBACK, user_agent="t") as client,
    ):
        calls = Calls(behind.commits, client.send, limits)
        await schedule(store, "e", url=receiver.url)
        async with worker_of(store, Timers(store.engine), {TIMER: calls.on_due, AGAIN: calls.on_again}, SCHEDULER):
            await receiver.heard(1, PATIENCE_S)
            await calls.drained()
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == ["a call was not recorded"]
    [waiting] = (await Timers(store.engine).pending(limit=10)).timers
    assert waiting.timer.name.kind == AGAIN
    [event] = await kept(store)
    assert event.status is Status.PROCESSING


async def test_processes_that_are_killed_again_and_again_lose_no_call(store: Store, engine_url: str) -> None:
    ids = [f"e{n}" for n in range(60)]
    async with receiving() as receiver:
        await schedule(store, *ids, url=receiver.url)
        for kills in range(3):
            async with caller(engine_url, "nowhere") as process:
                await receiver.heard(8 * (kills + 1), PATIENCE_S)
                process.kill()
        async with calling(store):
            found = await ended(store, len(ids))
        assert {each.status for each in found} == {Status.SUCCESS}
        assert {each.headers["X-Cuey-Event-Id"] for each in receiver.requests} == set(ids)
