"""When sweeps run: at the end of a turn, each once; paced while the thread is busy."""

import asyncio

import pytest

from broker.sweeper import LOOK_S, MOST_PAUSE_S, Pace, Sweeper


async def test_what_was_marked_in_a_turn_runs_once_at_its_end_in_order() -> None:
    ran: list[str] = []
    sweeper = Sweeper()
    one, two = (lambda: ran.append("one")), (lambda: ran.append("two"))
    for sweep in (one, two, one):
        sweeper.mark(sweep)
    assert ran == []
    await asyncio.sleep(0)
    assert ran == ["one", "two"]
    await asyncio.sleep(0.001)
    assert ran == ["one", "two"]


async def test_a_sweep_that_fails_does_not_keep_the_others_from_theirs(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []
    sweeper = Sweeper()

    def fails() -> None:
        raise ZeroDivisionError

    sweeper.mark(fails)
    sweeper.mark(lambda: ran.append("other"))
    await asyncio.sleep(0)
    assert ran == ["other"]
    assert "a sweep failed" in caplog.text


async def test_what_is_marked_in_a_sweep_runs_in_the_next() -> None:
    ran: list[int] = []
    sweeper = Sweeper()

    def again() -> None:
        ran.append(len(ran))
        if len(ran) < 3:
            sweeper.mark(again)

    sweeper.mark(again)
    async with asyncio.timeout(5):
        while len(ran) < 3:
            await asyncio.sleep(0)
    assert ran == [0, 1, 2]


def sweeps(pace: Pace, times: int, *, each_s: float, took_s: float, used: float, wanted: int = 1) -> float:
    """So many sweeps, one in so long, for so many turns each, by a thread that computes so much; when the last ends."""
    for number in range(times):
        for _ in range(wanted):
            pace.want()
        began_s = number * each_s
        pace.swept(began_s, began_s + took_s, used_s=(began_s + took_s) * used)
    return (times - 1) * each_s + took_s


def test_an_idle_thread_is_not_paced() -> None:
    pace = Pace(0.0, 0.0)
    ended_s = sweeps(pace, 20, each_s=0.1, took_s=0.01, used=0.1)
    assert pace.pause_s(ended_s) == 0


def test_a_thread_with_time_for_a_sweep_each_turn_is_not_paced() -> None:
    pace = Pace(0.0, 0.0)
    ended_s = sweeps(pace, 50, each_s=0.02, took_s=0.012, used=0.65)
    assert pace.pause_s(ended_s) == 0


def test_a_busy_thread_waits_as_long_as_the_last_sweep_took_up_to_a_bound() -> None:
    pace = Pace(0.0, 0.0)
    ended_s = sweeps(pace, 50, each_s=0.01, took_s=0.01, used=0.99)
    assert round(pace.pause_s(ended_s), 6) == 0.01
    assert pace.pause_s(ended_s + 0.01) < 1e-9
    pace.want()
    pace.swept(ended_s, ended_s + 0.5, used_s=ended_s + 0.5)
    assert round(pace.pause_s(ended_s + 0.5), 6) == MOST_PAUSE_S


def test_a_paced_thread_stays_paced_while_it_saves_sweeps_that_it_has_no_time_for() -> None:
    pace = Pace(0.0, 0.0)
    ended_s = sweeps(pace, 50, each_s=0.02, took_s=0.01, used=0.55, wanted=3)
    assert pace.pause_s(ended_s) > 0


def test_a_thread_that_was_busy_is_paced_no_more_once_it_has_time() -> None:
    pace = Pace(0.0, 0.0)
    ended_s = sweeps(pace, 50, each_s=0.01, took_s=0.01, used=0.99)
    assert pace.pause_s(ended_s) > 0
    for number in range(1, 9):
        pace.want()
        at_s = ended_s + number * LOOK_S
        pace.swept(at_s, at_s + 0.01, used_s=ended_s)
    assert pace.pause_s(ended_s + 8 * LOOK_S + 0.01) == 0
