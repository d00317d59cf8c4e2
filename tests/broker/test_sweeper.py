"""When sweeps run: at the end of a turn, each once; paced while the thread is busy."""

import asyncio

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


def test_an_idle_thread_is_not_paced() -> None:
    pace = Pace(0.0, 0.0)
    pace.swept(1.0, 1.01, used_s=0.01)
    assert pace.pause_s(1.01) == 0


def test_a_busy_thread_waits_as_long_as_the_last_sweep_took_up_to_a_bound() -> None:
    pace = Pace(0.0, 0.0)
    pace.swept(LOOK_S, LOOK_S + 0.01, used_s=LOOK_S)
    assert round(pace.pause_s(LOOK_S + 0.01), 6) == 0.01
    assert pace.pause_s(LOOK_S + 0.02) < 1e-9
    pace.swept(1.0, 2.0, used_s=1.9)
    assert round(pace.pause_s(2.0), 6) == MOST_PAUSE_S


def test_a_thread_that_was_busy_is_paced_no_more_once_it_has_time() -> None:
    pace = Pace(0.0, 0.0)
    pace.swept(1.0, 1.01, used_s=1.0)
    assert pace.pause_s(1.01) > 0
    pace.swept(2.0, 2.01, used_s=1.1)
    assert pace.pause_s(2.01) == 0
