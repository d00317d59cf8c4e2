"""Pages that readers share: one reading for all who stand in it, and nothing that a changed log no longer says."""

import asyncio
from collections.abc import Sequence

import pytest

from broker.cursors import LogMeta
from broker.errors import Unavailable
from broker.events import frame
from broker.ids import Position
from broker.pages import Page
from broker.shared_pages import Era, SharedPages, rest_of

START = Position(1_000, 0)
PAGE = 10


def place(number: int) -> Position:
    return Position(1_000, number)


def page_of(numbers: Sequence[int], *, more: bool) -> Page:
    frames = [frame("abcdefgh", place(number), b"", b'"data":%d}' % number) for number in numbers]
    meta = LogMeta(START, place(100), START, 0, 1, 100, 10)
    return Page(frames, frames[-1].position if frames else None, more, len(frames), meta)


def numbers_of(page: Page) -> list[int]:
    return [each.position.seq for each in page.frames]


class SlowLog:
    """A log of events 1 to 100 whose answers come when they are let out, and which may be away."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.may_answer = asyncio.Event()
        self.is_away = False

    async def read(self, start: Position, limit: int) -> Page:
        self.asked.append(start.seq)
        await self.may_answer.wait()
        if self.is_away:
            raise Unavailable("The engine did not answer in time", retry_after_s=1)
        last = min(start.seq + limit, 100)
        return page_of(range(start.seq + 1, last + 1), more=last < 100)


async def everybody_waits() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_readers_who_wait_for_one_page_have_it_by_one_reading() -> None:
    shared, era, log = SharedPages(), Era(), SlowLog()
    readings = [asyncio.create_task(shared.after(era, START, PAGE, log.read)) for _ in range(10)]
    await everybody_waits()
    log.may_answer.set()
    assert [numbers_of(await each) for each in readings] == [list(range(1, 11))] * 10
    assert log.asked == [0]


async def test_who_stands_in_a_page_that_was_read_has_its_rest_and_ends_where_the_others_do() -> None:
    shared, era, log = SharedPages(), Era(), SlowLog()
    log.may_answer.set()
    await shared.after(era, START, PAGE, log.read)
    rest = await shared.after(era, place(4), PAGE, log.read)
    assert (numbers_of(rest), rest.examined, rest.scanned, rest.more) == ([5, 6, 7, 8, 9, 10], 6, place(10), True)
    assert numbers_of(await shared.after(era, place(10), PAGE, log.read)) == list(range(11, 21))
    assert log.asked == [0, 10]


async def test_a_place_between_events_is_a_place_in_the_page() -> None:
    page = page_of([1, 3, 5], more=False)
    assert numbers_of(rest_of(page, place(2))) == [3, 5]
    assert numbers_of(rest_of(page, place(3))) == [5]


async def test_one_page_of_a_log_is_read_at_a_time_and_each_has_its_turn() -> None:
    shared, era, log = SharedPages(), Era(), SlowLog()
    far = [asyncio.create_task(shared.after(era, place(each), PAGE, log.read)) for each in (0, 30, 60, 35)]
    await everybody_waits()
    assert log.asked == [0]
    log.may_answer.set()
    first = [numbers_of(await each)[0] for each in far]
    assert first == [1, 31, 61, 36]
    assert log.asked == [0, 30, 60]


async def test_logs_do_not_wait_for_each_other() -> None:
    shared, log, other = SharedPages(), SlowLog(), SlowLog()
    slow = asyncio.create_task(shared.after(Era(), START, PAGE, log.read))
    await everybody_waits()
    other.may_answer.set()
    assert numbers_of(await shared.after(Era(), START, PAGE, other.read))
    assert not slow.done()
    slow.cancel()


async def test_after_a_change_of_the_log_what_was_read_before_answers_nobody() -> None:
    shared, era, log = SharedPages(), Era(), SlowLog()
    log.may_answer.set()
    await shared.after(era, START, PAGE, log.read)
    await shared.after(Era(), START, PAGE, log.read)
    assert log.asked == [0, 0]


async def test_those_who_waited_for_a_reading_that_failed_fail_with_it_and_the_next_reads_again() -> None:
    shared, era, log = SharedPages(), Era(), SlowLog()
    log.is_away = True
    readings = [asyncio.create_task(shared.after(era, START, PAGE, log.read)) for _ in range(5)]
    await everybody_waits()
    log.may_answer.set()
    outcomes = await asyncio.gather(*readings, return_exceptions=True)
    assert [type(each) for each in outcomes] == [Unavailable] * 5
    assert log.asked == [0]
    log.is_away = False
    assert numbers_of(await shared.after(era, START, PAGE, log.read)) == list(range(1, 11))


async def test_a_reader_who_goes_away_leaves_the_reading_to_the_next() -> None:
    shared, era, log = SharedPages(), Era(), SlowLog()
    gone, stays = (asyncio.create_task(shared.after(era, START, PAGE, log.read)) for _ in range(2))
    await everybody_waits()
    gone.cancel()
    log.may_answer.set()
    assert numbers_of(await stays) == list(range(1, 11))
    assert log.asked == [0, 0]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_an_empty_page_answers_only_whom_it_was_read_for() -> None:
    shared, era, asked = SharedPages(), Era(), []

    async def read(start: Position, limit: int) -> Page:
        asked.append(start)
        return page_of([], more=False)

    assert [numbers_of(await shared.after(era, place(100), PAGE, read)) for _ in range(2)] == [[], []]
    assert len(asked) == 2


async def test_a_page_is_kept_for_a_moment_only() -> None:
    shared, era, log = SharedPages(kept_s=0), Era(), SlowLog()
    log.may_answer.set()
    await shared.after(era, START, PAGE, log.read)
    await everybody_waits()
    await shared.after(era, START, PAGE, log.read)
    assert log.asked == [0, 0]


async def test_pages_of_another_limit_are_other_pages() -> None:
    shared, era, log = SharedPages(), Era(), SlowLog()
    log.may_answer.set()
    await shared.after(era, START, PAGE, log.read)
    assert numbers_of(await shared.after(era, START, 3, log.read)) == [1, 2, 3]
    assert numbers_of(await shared.after(era, place(3), PAGE, log.read)) == [4, 5, 6, 7, 8, 9, 10]
    assert log.asked == [0, 0]
