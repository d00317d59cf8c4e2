"""The goals are those of the design, and a verdict is by the median."""

from itertools import pairwise

import pytest

from bench.goals import FIGURES, Figure, at_least, at_most, verdict
from bench.measures.all import MEASURES
from bench.rounds import Outcome, Spread, take

FIGURE = Figure("1", "fanout", "", take("tidemark.cpu_us"), at_least(0.6), at_least(0.75))


def reached(median: float, figure: Figure = FIGURE) -> str:
    return verdict(figure, Outcome(Spread(median, 0, 9, 3)))


@pytest.mark.parametrize(("median", "expected"), [(0.59, "MISSED"), (0.6, "must"), (0.74, "must"), (0.75, "aim")])
def test_a_floor_is_reached_from_above(median: float, expected: str) -> None:
    assert reached(median) == expected


@pytest.mark.parametrize(("median", "expected"), [(1.7, "aim"), (1.71, "must"), (2.5, "must"), (2.51, "MISSED")])
def test_a_ceiling_is_reached_from_below(median: float, expected: str) -> None:
    assert reached(median, Figure("3", "latency", "", take("tidemark.p99_ms"), at_most(2.5), at_most(1.7))) == expected


def test_a_void_run_of_ours_misses_the_goal_and_one_of_others_measures_nothing() -> None:
    assert verdict(FIGURE, Outcome(None, ("tidemark-stalled: overloaded",))) == "MISSED"
    assert verdict(FIGURE, Outcome(None, ("no nchan here",))) == "not measured"


def test_a_figure_without_a_goal_has_no_verdict() -> None:
    assert reached(1, Figure("", "storm", "", take("tidemark.seconds"))) == "-"


def test_every_goal_of_the_design_has_a_figure() -> None:
    rows = {int(figure.row.rstrip("ab")) for figure in FIGURES if figure.row and figure.row[0] != "L"}
    assert rows == set(range(1, 17))
    assert all((figure.must is None) == (figure.row == "") == (figure.aim is None) for figure in FIGURES)


def test_an_aim_is_never_below_its_must() -> None:
    for figure in FIGURES:
        if figure.must and figure.aim:
            assert figure.must.holds(figure.aim.limit), figure


def test_a_figure_that_is_the_same_stands_right_below_what_it_is_the_same_as() -> None:
    """The table has the figures in this order."""
    for before, figure in pairwise(FIGURES):
        if figure.text.startswith("the same"):
            assert before.measure == figure.measure, figure


def test_figures_and_measures_belong_together() -> None:
    assert {figure.measure for figure in FIGURES} == {measure.name for measure in MEASURES}
