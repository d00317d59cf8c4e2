"""`./run bench`: measure, and print a table of ratios. `docs/bench.md` says how to read it."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from bench.cores import choose_cores
from bench.machine import ROOT, describe
from bench.measures.all import MEASURES
from bench.measures.measure import Measure, run_rounds
from bench.native import NoTools, compiled_tools
from bench.open_files import allow_open_files
from bench.peers import PROGRAMS, UnknownPeer, parse_peers
from bench.progress import progress
from bench.rounds import Round
from bench.stage import QUICK, Scale, Stage
from bench.table import render_parts, render_table, warnings
from bench.targets.tidemark import mint_token

RESULTS = ROOT / "bench/results.md"
OTHER_FILES = 500
NAMES = [measure.name for measure in MEASURES]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("measures", nargs=-1, type=click.Choice(NAMES))
@click.option("--quick", is_flag=True, help="One short round with few connections: does everything work?")
@click.option("--rounds", type=click.IntRange(1, 100), help="How often each variant runs.  [default: 3]")
@click.option("--seconds", type=click.FloatRange(0.1, 600), help="How long a run measures.  [default: 2]")
@click.option("--connections", type=click.IntRange(10, 100_000), help="The N of the goals.  [default: 1000]")
@click.option("--many", type=click.IntRange(10, 100_000), help="The connections of idle and storm.  [default: 5000]")
@click.option("--peers", default="found", show_default=True, help=f"found, all, none, or of {', '.join(PROGRAMS)}.")
@click.option("--peer", "named", multiple=True, metavar="NAME=PROGRAM", help="Where a peer's program is; repeatable.")
@click.option("--json", "values", type=click.Path(dir_okay=False, path_type=Path), help="Write the values there, too.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Append the result to this file.")
@click.option("--save", is_flag=True, help="Append the result to bench/results.md.")
@click.option("--note", default="", help="A title for the result that is appended.")
def main(
    *,
    measures: tuple[str, ...],
    quick: bool,
    rounds: int | None,
    seconds: float | None,
    connections: int | None,
    many: int | None,
    peers: str,
    named: tuple[str, ...],
    values: Path | None,
    output: Path | None,
    save: bool,
    note: str,
) -> None:
    """Measure Tidemark beside the physical limit, stock Starlette and the peers found here, in alternating runs.

    MEASURES are all unless some are named. Only ratios are worth quoting; see docs/bench.md.
    """
    given: dict[str, Any] = {"rounds": rounds, "seconds": seconds, "connections": connections, "many": many}
    scale = replace(QUICK if quick else Scale(), **{name: value for name, value in given.items() if value is not None})
    chosen = [measure for measure in MEASURES if measure.name in (measures or NAMES)]
    allow_open_files(max(scale.connections, scale.many) + OTHER_FILES)
    try:
        with staged(scale, peers, named) as stage:
            text, results = measured(stage, chosen, note or "Result")
    except (NoTools, UnknownPeer) as error:
        raise click.ClickException(str(error)) from error
    if values is not None:
        values.write_text(json.dumps({"note": note, "rounds": as_json(results)}, indent=1) + "\n")
    for path in [*([output] if output else []), *([RESULTS] if save else [])]:
        with path.open("a") as file:
            file.write(f"\n{text}\n")


@contextmanager
def staged(scale: Scale, peers: str = "none", named: Sequence[str] = ()) -> Iterator[Stage]:
    """Everything that the measures need, in a directory that is gone afterwards."""
    tools = compiled_tools()
    found = parse_peers(peers, dict(_parse_named(named)))
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as work:
        key_file = Path(work) / "key" / "signing_key.json"
        token = mint_token(key_file)
        yield Stage(tools, choose_cores(), scale, found, Path(work), key_file, token)


def measured(stage: Stage, measures: Sequence[Measure], note: str) -> tuple[str, dict[str, list[Round]]]:
    """Run the measures, print what they found, and answer it as a section of Markdown, and as it was measured."""
    facts = describe(stage.peers)
    results: dict[str, list[Round]] = {}
    with progress(len(measures), unit="measures") as bar:
        for measure in measures:
            results[measure.name] = run_rounds(measure, stage, bar.say)
            bar.step()
    facts.append(f"afterwards load average {' '.join(f'{value:.2f}' for value in os.getloadavg())}")
    text = render_result(stage, results, facts, note)
    click.echo(text)
    return text, results


def as_json(results: Mapping[str, Sequence[Round]]) -> dict[str, Any]:
    """The rounds of each measure as values: a sample for each variant."""
    return {
        name: [{variant: asdict(sample) for variant, sample in each.items()} for each in rounds]
        for name, rounds in results.items()
    }


def render_result(stage: Stage, results: dict[str, list[Round]], facts: Sequence[str], note: str) -> str:
    """The whole result as a section of Markdown."""
    scale, cores = stage.scale, stage.cores
    pinned = f"server on core {cores.server}, load client and engine on core {cores.client}"
    size = f"{scale.rounds} rounds of {scale.seconds:g} s, {scale.connections:,} connections ({scale.many:,} idle)"
    lines = [*facts, f"{size}; {pinned if cores.are_apart else 'everything on one core: compare nothing'}"]
    doubts = warnings(results)
    parts = [f"## {note}", "\n".join(f"- {line}" for line in lines), render_table(results)]
    parts += ["Doubts:\n\n" + "\n".join(f"- {doubt}" for doubt in doubts)] if doubts else []
    parts += ["Absolute values, as orders of magnitude only:", render_parts(results)]
    return "\n\n".join(parts)


def _parse_named(named: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for word in named:
        name, _, program = word.partition("=")
        if name not in PROGRAMS or not os.access(program, os.X_OK):
            raise UnknownPeer(
                f"--peer {word}: give one of {', '.join(PROGRAMS)} and a program, as nats=/opt/nats-server."
            )
        yield name, Path(program)


if __name__ == "__main__":
    sys.exit(main(prog_name="./run bench"))
