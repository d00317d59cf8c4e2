"""What a fault cost is measured from what clients saw around it."""

import math

import pytest

from soak.figures import felt_faults, first_after, latencies, latency_of, longest_pause
from soak.history import Event, Fault, Gap, History, Lag, Publish, Reading, Seen

FAULT = Fault("engine-kill", "engine", 10.0, 12.0, 15.0)


def acks(publisher: str, *times: float) -> list[Publish]:
    return [Publish(publisher, "news", (("e", None),), at_s - 0.01, at_s, ("id",), 1) for at_s in times]


def arrivals(who: str, *times: float, is_live: bool = True) -> Reading:
    steps: list[Seen | Gap] = [Seen(Event("id", "e", None), at_s) for at_s in times]
    return Reading(who, "news", "0", is_live=is_live, steps=steps)


@pytest.mark.parametrize(
    ("times", "pause"),
    [
        ([1.0, 9.0, 9.9, 12.4, 12.5, 14.0, 15.5, 30.0], 2.5),
        ([1.0, 9.0, 20.0], 6.0),
        ([1.0, 9.9, 10.0, 10.1], 0.1),
        ([16.0, 17.0], None),
        ([3.0], None),
        ([], None),
    ],
)
def test_the_longest_pause_is_one_that_touches_the_fault(times: list[float], pause: float | None) -> None:
    found = longest_pause(times, FAULT)
    assert found == (None if pause is None else pytest.approx(pause))


def test_service_is_back_with_the_first_moment_after_the_end() -> None:
    assert first_after([1.0, 11.0, 12.5, 13.0], FAULT) == 0.5
    assert first_after([1.0], FAULT) is None


def test_a_fault_costs_what_the_worst_off_paid_each_time() -> None:
    again = Fault("engine-kill", "engine", 20.0, 21.0, 24.0)
    other = Fault("net-cut", "one", 26.0, 26.0, 28.0)
    history = History(
        publishes=[*acks("p0", 9.9, 12.4, 19.9, 21.1, 25.9, 26.1), *acks("p1", 9.95, 12.9, 19.95, 21.2, 25.95, 26.05)],
        readings=[
            arrivals("live", 9.8, 12.5, 19.8, 24.1, 25.8, 26.3),
            arrivals("stalled", 1.0, 100.0, is_live=False),
        ],
        faults=[FAULT, again, other],
        lags=[Lag(11.0, 0.4), Lag(23.0, 0.1), Lag(40.0, 0.9)],
    )
    killed, cut = felt_faults(history)
    assert (killed.name, killed.times, killed.length_s) == ("engine-kill", 2, 2.0)
    assert killed.no_ack_s == pytest.approx(2.8)
    assert killed.silence_s == pytest.approx(4.2)
    assert killed.own_s == 0.4
    assert killed.back_s == pytest.approx(3.1)
    assert cut.times == 1 and cut.back_s == pytest.approx(0.3)


def test_publishes_begun_while_a_fault_was_felt_are_told_apart() -> None:
    history = History(publishes=acks("p0", 5.0, 11.0, 12.5, 14.0), faults=[FAULT])
    outside, inside = latencies(history)
    assert (outside.publishes, inside.publishes) == (2, 2)


def test_percentiles_are_values_that_occurred() -> None:
    assert latency_of([float(n) for n in range(100, 0, -1)]) == (100, 50.0, 99.0, 100.0)
    assert latency_of([7.0]) == (1, 7.0, 7.0, 7.0)
    assert math.isnan(latency_of([]).p50_ms)
