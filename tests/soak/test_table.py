"""The result as tables, as lines about violations, and as JSON."""

import json
import math

from soak.checker import check
from soak.figures import Felt, Latency
from soak.history import History, Publish
from soak.table import as_json, render_felt, render_latencies, render_verdict, render_violations

MEMORY = {"one": (50 << 20, 60 << 20)}
FELT = [Felt("engine-kill", 2, 1.234, 0.5, None, 2.0, 0.01)]


def verdict_with_losses(count: int = 7) -> History:
    drafts = tuple((f"e{number}", None) for number in range(count))
    return History([Publish("p0", "news", drafts, 0.0, 1.0, tuple(map(str, range(count))), 2)])


def test_a_fault_is_a_line_with_seconds_and_dashes_for_what_nobody_felt() -> None:
    assert (
        render_felt(FELT).splitlines()[2]
        == "| engine-kill | 2     | 1.23   | 0.50   | -       | 2.00       | 0.01    |"
    )


def test_counts_violations_and_memory_are_shown() -> None:
    text = render_verdict(check(verdict_with_losses()), MEMORY)
    for line in ("| acknowledged events ", "| of which tried more than once ", "50 -> 60", "| lost      | 7 "):
        assert line in text
    assert "| doubled   | 0 " in text


def test_the_first_of_each_kind_of_violation_are_told() -> None:
    lines = render_violations(check(verdict_with_losses())).splitlines()
    assert len(lines) == 6 and lines[0].startswith("lost: Event(id='0'") and lines[-1] == "lost: and 2 more"
    assert render_violations(check(History())) == ""


def test_latencies_are_shown_in_milliseconds() -> None:
    text = render_latencies(Latency(1000, 1.25, 9.0, 11.0), Latency(0, math.nan, math.nan, math.nan))
    assert "| outside faults         | 1,000     | 1.2    | 9.0    | 11.0       |" in text
    assert "nan" in text


def test_the_json_has_everything() -> None:
    told = as_json(check(verdict_with_losses()), FELT, (latency := Latency(1, 1.0, 1.0, 1.0), latency), MEMORY)
    read = json.loads(json.dumps(told))
    assert read["acknowledged"] == 7 and read["violations"]["lost"] == 7 and len(read["violations_told"]) == 7
    assert read["faults"][0]["no_ack_s"] == 0.5 and read["rss_bytes"]["one"]["end"] == 60 << 20
