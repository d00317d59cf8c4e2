"""Figures are made inside a round; rounds that do not have one say why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rounds import Round, Sample, Spread, beyond, names_of, outcome_of, over, rotated, spread_of, take


def round_of(**runs: float) -> Round:
    """A round in which each variant measured one `x`."""
    return {variant: Sample({"x": value}) for variant, value in runs.items()}


RATIO = over("a.x", "b.x")


def test_a_ratio_is_taken_inside_each_round_and_not_of_the_medians() -> None:
    rounds = [round_of(a=1, b=2), round_of(a=30, b=10), round_of(a=4, b=4)]
    assert outcome_of(RATIO, rounds).spread == Spread(1.0, 0.5, 3.0, 3)


def test_a_void_run_takes_only_its_own_round_away_and_says_why() -> None:
    void = {"a": Sample(void="3 gaps"), "b": Sample({"x": 1})}
    outcome = outcome_of(RATIO, [round_of(a=2, b=1), void, round_of(a=4, b=1)])
    assert outcome.spread == Spread(3.0, 2.0, 4.0, 2)
    assert outcome.missing == ("a: 3 gaps",)


def test_values_of_a_void_run_do_not_count() -> None:
    outcome = outcome_of(take("a.x"), [{"a": Sample({"x": 1}, void="2 duplicates")}])
    assert (outcome.spread, outcome.missing) == (None, ("a: 2 duplicates",))


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (round_of(b=1), "no a here"),
        (round_of(a=1, b=0), "b.x is 0: too short a run"),
        (round_of(a=float("nan"), b=1), "a has no x: too short a run"),
        ({"a": Sample({"y": 1}), "b": Sample({"x": 1})}, "a has no x: too short a run"),
    ],
)
def test_what_cannot_be_divided_is_missing_and_never_a_number(runs: Round, reason: str) -> None:
    outcome = outcome_of(RATIO, [runs, runs])
    assert (outcome.spread, outcome.missing) == (None, (reason,))


def test_a_difference_is_taken_inside_each_round() -> None:
    assert outcome_of(beyond("a.x", "b.x"), [round_of(a=5, b=3), round_of(a=1, b=4)]).spread == Spread(-0.5, -3, 2, 2)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_half_of_the_values_are_on_either_side_of_the_middle(values: list[float]) -> None:
    spread = spread_of(values)
    assert spread.lowest == min(values) <= spread.middle <= max(values) == spread.highest
    assert sum(value <= spread.middle for value in values) * 2 >= len(values)
    assert sum(value >= spread.middle for value in values) * 2 >= len(values)


@given(st.lists(st.integers(), unique=True, max_size=6))
def test_over_the_rounds_every_variant_is_first_once(numbers: list[int]) -> None:
    names = [str(number) for number in numbers]
    orders = [rotated(names, turn) for turn in range(len(names))]
    assert [order[0] for order in orders] == names
    assert all(sorted(order) == sorted(names) for order in orders)


def test_times_and_rates_are_by_the_clock_and_cpu_and_memory_are_not() -> None:
    by_clock = [take("a.p99_ms"), over("a.deliveries_per_s", "b.deliveries_per_s"), take("a.seconds")]
    assert all(value.is_by_clock for value in by_clock)
    assert not any(value.is_by_clock for value in (take("a.cpu_us"), take("a.rss_bytes"), take("a.growth_kib")))


def test_all_that_any_round_measured_is_named_once() -> None:
    assert names_of([round_of(a=1), round_of(a=1, b=1)]) == [("a", "x"), ("b", "x")]
