"""`./run soak --clients`: run the clients under faults, check what they saw, and print it."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from bench.machine import describe
from bench.progress import progress
from bench.table import markdown
from soak.checker import Verdict, check
from soak.clients.run import Asked, torture
from soak.clients.told import Driver
from soak.history import History
from soak.stage import folder_for, staged
from soak.table import render_violations

BROKER = ("one",)


def try_clients(seconds: float, seed: int, faults: Sequence[str], output: Path | None, keep: Path | None) -> int:
    """The exit status: 0 when every promise was kept, else 1, with what shows it on stderr."""
    asked, facts = Asked(seconds, seed, faults), describe({})
    history, drivers = asyncio.run(_run(asked, keep))
    verdict = check(history)
    lines = (f"`./run soak --clients --seconds {seconds:g} --seed {seed}`", *facts)
    click.echo("\n".join(f"- {line}" for line in lines) + "\n\n" + render(history, verdict, drivers))
    if output is not None:
        output.write_text(
            json.dumps({"seconds": seconds, "seed": seed, **as_json(history, verdict, drivers)}, indent=1)
        )
    if verdict.violations:
        click.echo(render_violations(verdict), err=True)
    return int(bool(verdict.violations))


def render(history: History, verdict: Verdict, drivers: Sequence[Driver]) -> str:
    """The result as Markdown: each client, what was done to it, and what was wrong."""
    rows: list[tuple[str, ...]] = [
        (str(each["client"]), f"{each['acknowledged']:,}", f"{each['read']:,}", f"{each['troubles']:,}")
        for each in _clients(history, drivers)
    ]
    faults = [(name, str(times)) for name, times in _times(history).items()]
    wrong = [(kind, f"{count:,}") for kind, count in verdict.counts.items()]
    tables: tuple[list[tuple[str, ...]], ...] = (
        [("client", "events acknowledged", "events read", "had to come back or try again"), *rows],
        [("fault", "times"), *faults],
        [("violation", "number"), *wrong],
    )
    return "\n\n".join(markdown(table) for table in tables)


def as_json(history: History, verdict: Verdict, drivers: Sequence[Driver]) -> dict[str, object]:
    """The same as values, with every violation."""
    return {
        "clients": _clients(history, drivers),
        "faults": _times(history),
        "violations": verdict.counts,
        "violations_told": [each._asdict() for each in verdict.violations],
    }


async def _run(asked: Asked, keep: Path | None) -> tuple[History, list[Driver]]:
    with folder_for(keep) as folder:
        async with staged(folder, BROKER) as stage:
            with progress(asked.seconds, unit="s") as bar:
                return await torture(stage, asked, bar.say_in_time)


def _clients(history: History, drivers: Sequence[Driver]) -> list[dict[str, str | int]]:
    return [
        {
            "client": driver.name,
            "acknowledged": sum(len(each.ids) for each in history.publishes if each.publisher == driver.name),
            "read": sum(len(reading.steps) for reading in driver.readings.values()),
            "troubles": driver.troubles,
        }
        for driver in drivers
    ]


def _times(history: History) -> dict[str, int]:
    return dict(Counter(fault.name for fault in history.faults))
