"""What is written of metrics is what there is: `docs/operations.md` and the dashboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.metrics.catalogue import Metric, all_metrics
from tests.broker_server import BrokerServer
from tests.exposition import Exposition, until

ROOT = Path(__file__).parents[3]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
MODES = {"livesum": "sum", "livemax": "highest", "livemin": "lowest"}
COLUMNS = 24


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = OPERATIONS.split(f"\n{heading}\n")[1]
    lines = section.split("\n|", 1)[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of the dashboard and of the list of alerts, with where it stands."""
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for row in rows_of("### What to be woken by"):
        yield "docs/operations.md", row[0]


def row_of(metric: Metric) -> list[str]:
    """How the docs show a metric."""
    kind = f"gauge, {MODES[metric.mode]}" if metric.kind == "gauge" else metric.kind
    return [f"`{metric.name}`", kind, ", ".join(f"`{label}`" for label in metric.labels), metric.help]


@pytest.fixture
async def exposition(broker_server: BrokerServer) -> Exposition:
    """What a server answers that has been asked before, and whose engine has been looked at."""
    return await until(
        lambda now: "tidemark_engine_memory_bytes" in now.families and "tidemark_http_requests" in now.families,
        broker_server,
    )


def test_the_table_of_metrics_is_the_catalogue() -> None:
    assert rows_of("## Metrics") == [row_of(metric) for metric in all_metrics()]


async def test_what_the_table_names_is_what_a_server_answers(exposition: Exposition) -> None:
    named = {row[0].strip("`") for row in rows_of("## Metrics")}
    answered = {family.name + ("_total" if family.type == "counter" else "") for family in exposition.families.values()}
    assert named == answered


async def test_every_expression_names_samples_and_labels_that_a_server_answers(exposition: Exposition) -> None:
    labels: dict[str, set[str]] = {}
    for family in exposition.families.values():
        for sample in family.samples:
            labels.setdefault(sample.name, {"instance", "job"}).update(sample.labels)
    for place, expression in expressions():
        names = re.findall(r"tidemark_\w+", expression)
        assert names, f"{place}: {expression}"
        for name in names:
            assert name in labels, f"{place}: there is no {name}"
        known = set.union(*(labels[name] for name in names))
        grouped = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
        chosen = set(re.findall(r"(\w+)=", re.sub(r'"[^"]*"', "", expression.replace("==", ""))))
        assert grouped | chosen <= known, f"{place}: {expression}"


def test_every_panel_says_what_it_shows_and_lies_beside_the_others() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {(place["x"] + column, place["y"] + row) for column in range(place["w"]) for row in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= COLUMNS
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
    ids = [panel["id"] for panel in PANELS]
    assert len(ids) == len(set(ids))


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(expression for place, expression in expressions() if place != "docs/operations.md")
    assert [metric.name for metric in all_metrics() if metric.name not in shown] == []
