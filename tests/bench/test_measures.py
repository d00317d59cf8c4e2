"""Every measure runs, counts what it is to count, and gives each figure that this machine can give."""

import math

import pytest

from bench.goals import FIGURES
from bench.measures.all import MEASURES
from bench.measures.measure import Measure, run_rounds
from bench.rounds import Sample
from bench.stage import Stage

ALWAYS = ("rss_bytes", "seconds", "growth_kib", "handshake_us", "engine_us")
"""Values that every run has; others may be missing from one so short."""


def check_sample(name: str, sample: Sample) -> None:
    """The run counts, or the machine was too slow for its schedule, and then nothing is said of it."""
    if sample.void:
        assert sample.void.startswith("overloaded"), f"{name}: {sample.void}"
        return
    for key, value in sample.values.items():
        assert math.isfinite(value) or key not in ALWAYS, f"{name}.{key}"
        assert key == "growth_kib" or not value < 0, f"{name}.{key}"


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_measure_gives_all_its_figures(stage: Stage, measure: Measure) -> None:
    told: list[str] = []
    (runs,) = run_rounds(measure, stage, told.append)
    assert len(told) == len(runs) >= 1
    for name, sample in runs.items():
        check_sample(name, sample)
    for figure in FIGURES:
        if figure.measure == measure.name:
            for variant, _, key in (name.partition(".") for name in figure.value.names):
                if variant in runs and not runs[variant].void:
                    assert key in runs[variant].values, f"{figure.text}: {variant} has no {key}"
                else:
                    assert variant in runs or variant.startswith(("nchan", "nats")), f"{figure.text}: no {variant}"


def test_a_run_that_breaks_takes_no_other_with_it(stage: Stage) -> None:
    def breaks() -> Sample:
        raise OSError("no more ports")

    measure = Measure("m", "", lambda _: {"bad": breaks, "good": lambda: Sample({"x": 1})})
    (runs,) = run_rounds(measure, stage, lambda _: None)
    assert runs == {"bad": Sample(void="OSError: no more ports"), "good": Sample({"x": 1})}
