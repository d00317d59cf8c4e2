"""A run counts only when every connection saw every event once; else it says why it does not."""

from typing import Any

import pytest

from bench.report import fault_of, parse_report
from tests.bench.reports import GOOD, report_with


def test_a_run_in_which_everything_arrived_has_no_fault() -> None:
    assert fault_of(parse_report(GOOD)) == ""


@pytest.mark.parametrize(
    ("changes", "window", "says"),
    [
        ({"gaps": 1, "trouble": "subscriber 3"}, {}, "1 gaps, 0 duplicates, 0 stray events: subscriber 3"),
        ({"duplicates": 2}, {}, "2 duplicates"),
        ({"stray": 3}, {}, "3 stray"),
        ({"refused": 1, "trouble": "answered 503"}, {}, "answered 503"),
        ({"closed": 1, "trouble": "closed with 1013"}, {}, "closed with 1013"),
        ({"errors": 1}, {}, "a connection failed"),
        ({"subscribed": 1}, {}, "only 1 of 2 subscribed"),
        ({"delivered": 6}, {"settled": False}, "overloaded: 75% of the events had arrived 1 s after the end"),
        ({}, {"unsent": 7}, "overloaded: 7 requests of the schedule never went out"),
    ],
)
def test_a_run_in_which_something_went_wrong_is_void(
    changes: dict[str, Any], window: dict[str, Any], says: str
) -> None:
    assert says in fault_of(parse_report(report_with(window, **changes)))


def test_readers_of_a_log_must_all_have_the_whole_of_it() -> None:
    report = parse_report(GOOD)
    assert fault_of(report, caught_up=2) == ""
    assert fault_of(report, caught_up=3).startswith("only 2 of 3 caught up")


def test_a_run_without_publishes_has_no_window() -> None:
    assert parse_report({**GOOD, "window": None}).window is None
