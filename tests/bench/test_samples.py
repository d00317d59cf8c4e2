"""What is divided by what."""

import math
from collections.abc import Callable

import pytest

from bench.cores import Cores
from bench.report import parse_report
from bench.rounds import Sample
from bench.samples import caught_up_sample, delivery_sample, request_sample, with_values
from bench.target import Target
from tests.bench.reports import ENGINE, GOOD, SERVER, report_with

TARGET = Target(servers=(SERVER,), engines=(ENGINE,))
CORES = Cores(0, 1)


def test_cpu_per_delivery_is_of_all_deliveries_and_the_rate_of_those_in_time() -> None:
    values = delivery_sample(parse_report(GOOD), TARGET, CORES).values
    assert values["cpu_us"] == 400_000 / 8
    assert values["user_us"] == 100_000 / 8
    assert values["deliveries_per_s"] == 6.0
    assert values["events_per_read"] == 2.0
    assert (values["p50_ms"], values["p99_ms"], values["answer_p50_ms"]) == (1.0, 2.0, 3.0)


def test_requests_and_their_events_are_counted_by_answers() -> None:
    values = request_sample(parse_report(GOOD), TARGET, CORES, events=100).values
    assert (values["requests_per_s"], values["events_per_s"], values["cpu_us"]) == (3.0, 300.0, 100_000.0)


def test_the_engine_shares_the_core_of_the_client_and_the_rest_was_taken_by_others() -> None:
    values = delivery_sample(parse_report(GOOD), TARGET, CORES).values
    assert values["server_core"] == pytest.approx(0.2)
    assert values["client_core"] == pytest.approx((300_000 + 200_000) / 2e6)
    # The server's core worked 0.7 s and lost 0.1 s to the hypervisor, of which 0.4 s were the server's.
    assert values["others"] == pytest.approx(0.2)


def test_on_one_core_nobody_can_tell_who_took_it() -> None:
    assert "others" not in delivery_sample(parse_report(GOOD), TARGET, Cores(0, 0)).values


def test_catching_up_is_counted_by_reader() -> None:
    values = caught_up_sample(parse_report({**GOOD, "window": None}), TARGET, CORES).values
    assert (values["seconds"], values["cpu_us"], values["p50_ms"]) == (0.5, 100_000.0, 400.0)
    assert values["others"] == pytest.approx(0.1)


@pytest.mark.parametrize("sample_of", [delivery_sample, request_sample])
def test_a_fault_makes_the_sample_void_and_empty(sample_of: Callable[..., Sample]) -> None:
    sample = sample_of(parse_report(report_with(gaps=1)), TARGET, CORES)
    assert sample.values == {}
    assert "1 gaps" in sample.void
    assert with_values(sample, [("engine_us", 1.0)]) == sample


def test_a_run_that_published_nothing_is_void() -> None:
    assert delivery_sample(parse_report({**GOOD, "window": None}), TARGET, CORES).void == "nothing was published"


def test_a_run_too_short_for_a_figure_has_no_number_for_it() -> None:
    report = parse_report(report_with({"deliveries": 0, "all_deliveries": 0, "reads": 0, "delivery_ns": []}))
    values = delivery_sample(report, TARGET, CORES).values
    assert math.isnan(values["cpu_us"])
    assert math.isnan(values["p50_ms"])
