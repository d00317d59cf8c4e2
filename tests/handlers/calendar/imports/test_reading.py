"""The process that reads feeds: it has limits, and whatever becomes of it is data."""

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from handlers.calendar.imports.fetching import Failed
from handlers.calendar.imports.occurrence import NO_MEMORY, Expanded, Span
from handlers.calendar.imports.reading import ReadLimits, read_feed
from tests.handlers.calendar.imports.feeds import calendar, event
from tests.handlers.calendar.imports.hostile import HARMLESS, HOSTILE, LEFT_OUT, ruled

FROM_MS = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
SPAN = Span(FROM_MS, FROM_MS + 396 * 86_400_000, "Europe/Berlin", 2_000)
LIMITS = ReadLimits(cpu_s=20)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_feed_ends_with_a_clear_error(name: str) -> None:
    feed, word = HOSTILE[name]
    found = await read_feed(feed, SPAN, LIMITS)
    assert isinstance(found, Failed) and word in found.error


@pytest.mark.parametrize("name", LEFT_OUT)
async def test_what_cannot_be_read_is_left_out_and_counted_and_its_neighbour_is_there(name: str) -> None:
    good = calendar(event("good", datetime(2026, 4, 1, 10, tzinfo=UTC)))
    found = await read_feed(LEFT_OUT[name] + good, SPAN, LIMITS)
    assert isinstance(found, Expanded)
    assert ([each.uid for each in found.occurrences], found.left_out) == (["good"], 1)


@pytest.mark.parametrize("name", HARMLESS)
async def test_what_is_only_strange_is_read(name: str) -> None:
    assert await read_feed(HARMLESS[name], SPAN, LIMITS) == Expanded([], 0)


async def test_an_occurrence_each_second_for_ever_ends_at_the_limit_of_its_processor_time() -> None:
    found = await read_feed(ruled("FREQ=SECONDLY"), SPAN, ReadLimits(cpu_s=2))
    assert found == Failed("reading it takes more than 2 s of a processor")


async def test_a_feed_that_takes_more_memory_than_it_may_is_an_error() -> None:
    feed = calendar(event("x", "DTSTART:20260401T000000Z", f"RDATE:{','.join(['20260401T000000Z'] * 100_000)}"))
    found = await read_feed(feed, SPAN, ReadLimits(cpu_s=20, memory_bytes=48 * 1_048_576))
    assert found == Failed(NO_MEMORY)


async def child_of_us() -> psutil.Process:
    async with asyncio.timeout(60):
        while True:
            for each in psutil.Process().children():
                if any("imports.child" in word for word in each.cmdline()):
                    return each
            await asyncio.sleep(0.01)


async def test_a_reader_that_is_killed_is_an_error_and_leaves_nothing_behind() -> None:
    reading = asyncio.create_task(read_feed(ruled("FREQ=SECONDLY"), SPAN, LIMITS))
    child = await child_of_us()
    os.kill(child.pid, signal.SIGTERM)
    found = await reading
    assert isinstance(found, Failed) and "reading it failed" in found.error
    assert not child.is_running()


async def test_who_is_cancelled_takes_the_reader_along() -> None:
    reading = asyncio.create_task(read_feed(ruled("FREQ=SECONDLY"), SPAN, LIMITS))
    child = await child_of_us()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not child.is_running()


async def test_the_reader_knows_nothing_of_the_environment_of_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_LIVE__INGEST_SECRET", "secret")
    reading = asyncio.create_task(read_feed(ruled("FREQ=SECONDLY"), SPAN, LIMITS))
    child = await child_of_us()
    assert b"secret" not in await asyncio.to_thread(Path(f"/proc/{child.pid}/environ").read_bytes)
    reading.cancel()
    await asyncio.wait([reading])
