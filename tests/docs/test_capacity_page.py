"""docs/capacity.md quotes what was measured: each figure is in the result that the page names, and sums are right."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.config import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/capacity.md").read_text()
RESULTS = (ROOT / "bench/results.md").read_text()
SOAK = (ROOT / "docs/soak.md").read_text()
PLACE = re.compile(r"`(?P<measure>\w+)` (?P<row>.+?), (?P<column>[^,]+(?:, p50 ms)?)")
HOT_PATH, MEMORY = re.findall(r"^.*Result: `([^`]+)`", PAGE, re.MULTILINE)

Row = dict[str, str]


def part(text: str, heading: str, level: str) -> str:
    """What is under a heading until the next one of its level or above."""
    after = text.split(f"\n{level} {heading}\n", 1)[1]
    return re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def tables(text: str) -> Iterator[list[Row]]:
    """Every table, as rows by the names of their columns; a first column without a name is ''."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.strip()[1:-1].split("|")] for line in block.splitlines())
        yield [dict(zip(head, row, strict=True)) for row in rows]


def quoted(column: str) -> list[Row]:
    """The rows of all tables of the page with such a column."""
    return [row for table in tables(PAGE) for row in table if column in row]


def measured(place: str) -> str:
    """The cell of a result that a place names."""
    found = PLACE.fullmatch(place)
    assert found, place
    if found["measure"] == "memory":
        [table] = tables(part(RESULTS, MEMORY, "##"))
    else:
        text = part(RESULTS, HOT_PATH, "##").split(f"\n{found['measure']}:\n", 1)[1]
        table = next(tables(text))
    [row] = [each for each in table if each[""] == found["row"]]
    return row[found["column"]]


def number(text: str) -> float:
    return float(text.replace(",", ""))


def by_two_digits(value: float) -> float:
    return float(f"{value:.1e}")


@pytest.mark.parametrize("row", quoted("Where"), ids=lambda row: row["Where"])
def test_a_figure_is_the_one_of_the_result(row: Row) -> None:
    assert row["Measured"] == measured(row["Where"])


@pytest.mark.parametrize("row", quoted("Made of"), ids=lambda row: row["What"])
def test_what_is_made_of_a_figure_is_made_right(row: Row) -> None:
    whole, _, place = row["Made of"].partition(" / ")
    assert number(row["About"]) == by_two_digits(number(whole) / number(measured(place)))


@pytest.mark.parametrize("row", quoted("Seed 1"), ids=lambda row: row["What"])
def test_a_figure_of_the_soak_is_in_its_result(row: Row) -> None:
    results = part(SOAK, "Results", "##")
    for seed in ("Seed 1", "Seed 2"):
        rows = [list(each.values()) for table in tables(part(results, seed, "###")) for each in table]
        assert [cells[1] for cells in rows if cells[0] == row["What"]] == [row[seed]]


def test_the_tables_are_there() -> None:
    assert len(quoted("Where")) > 12 and len(quoted("Made of")) > 4 and len(quoted("Seed 1")) > 8


def test_numbers_in_its_text_are_those_of_the_settings_and_the_results() -> None:
    defaults = Settings()
    assert f"`[limits] connections` ({defaults.limits.connections:,} by default)" in PAGE
    assert f"and {defaults.limits.connections_per_s} new ones a second" in PAGE
    kept = defaults.channels
    assert f"keeps {kept.retention_events:,} events for at most {kept.retention_days:g} days" in PAGE
    assert f"`[engine] partitions` ({defaults.engine.partitions}, fixed" in PAGE
    core = measured("`fanout` tidemark, server's core")
    assert f"(core at {core})" in PAGE
    dear = number(measured("`publish` tidemark, us CPU each")) / number(measured("`fanout` tidemark, us CPU each"))
    assert f"as much CPU as {by_two_digits(dear):.0f} deliveries" in PAGE
