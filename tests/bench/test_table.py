"""The table says what was reached, how far rounds differed, and what makes it doubtful."""

import pytest

from bench.rounds import Round, Sample
from bench.table import render_parts, render_table, short, warnings


def fanout(ours: float, limit: float, others: float = 0.0) -> Round:
    return {
        "tidemark": Sample({"cpu_us": ours, "deliveries_per_s": 1e6 / ours, "others": others}),
        "limit": Sample({"cpu_us": limit, "deliveries_per_s": 1e6 / limit}),
    }


def row(table: str, goal: str) -> list[str]:
    """The cells of the line of a goal."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    return next(cells for cells in lines if cells[:1] == [goal])


def test_a_goal_is_one_line_with_its_median_extremes_and_verdict() -> None:
    table = render_table({"fanout": [fanout(10, 5), fanout(10, 8), fanout(10, 6)]})
    assert row(table, "1")[2:] == ["0.6", "0.5 - 0.8", "3", ">= 0.6", ">= 0.75", "must"]


def test_a_peer_that_is_not_here_is_said_to_be_missing() -> None:
    table = render_table({"fanout": [fanout(10, 5)]})
    assert row(table, "2b")[-1] == "not measured"
    assert "- 2b: no nchan here" in table


def test_measures_that_did_not_run_have_no_lines() -> None:
    assert "latency" not in render_table({"fanout": [fanout(10, 5)]})


@pytest.mark.parametrize(("others", "mark"), [(0.05, ""), (0.5, " ?")])
def test_times_measured_beside_others_are_doubtful(others: float, mark: str) -> None:
    runs = {
        "tidemark": Sample({"deliveries_per_s": 6.0, "cpu_us": 1.0, "others": others}),
        "limit": Sample({"deliveries_per_s": 1.0, "cpu_us": 1.0, "others": 0.0}),
    }
    assert row(render_table({"flood": [runs]}), "5")[-1] == "must" + mark


def test_cpu_measured_beside_others_is_not_doubtful_but_mentioned() -> None:
    rounds = [fanout(10, 9, others=0.4), fanout(10, 9, others=0.2)]
    assert row(render_table({"fanout": rounds}), "1")[-1] == "aim"
    assert warnings({"fanout": rounds}) == ["fanout: others took up to so much of a core: 40% (tidemark)"]


def test_a_client_as_busy_as_its_server_is_mentioned() -> None:
    rounds: list[Round] = [{"limit": Sample({"client_core": 0.95})}]
    assert warnings({"fanout": rounds}) == ["fanout: the load client's core was busy up to 95% (limit)"]


def test_what_the_ratios_were_made_of_is_a_table_a_measure() -> None:
    text = render_parts({"fanout": [fanout(10, 5)], "storm": [{"tidemark": Sample(void="gone")}]})
    assert "|          | deliveries/s | us CPU each | taken by others |" in text
    assert "| limit    | 200,000      | 5           |                 |" in text
    assert "storm:\n\nEvery run was void." in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (12.34, "12.3"), (123456, "123,000"), (999.6, "1,000"), (float("nan"), "-")]
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert short(value) == text
