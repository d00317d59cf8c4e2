"""`./run soak`: publish and read under faults, check everything, and print what it cost. `docs/soak.md` explains it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import uvloop

from bench.machine import describe
from bench.open_files import allow_open_files
from bench.progress import progress
from soak.cast import Size
from soak.checker import Verdict, check
from soak.clients.command import try_clients
from soak.clients.faults import CLIENT_FAULTS
from soak.figures import felt_faults, latencies
from soak.history import History
from soak.run import ALL, Asked, Memory, soak
from soak.stage import folder_for, staged
from soak.table import as_json, render_felt, render_latencies, render_verdict, render_violations

OTHER_FILES = 1_000
FILES_A_SOCKET = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--seconds", type=click.FloatRange(1, 1_000_000), default=60, show_default=True, help="So long faults come."
)
@click.option("--seed", type=int, default=1, show_default=True, help="What everything random is drawn from.")
@click.option(
    "--faults", help=f"Only these, with commas between: {', '.join(ALL)}; with --clients {', '.join(CLIENT_FAULTS)}."
)
@click.option("--storm", type=click.IntRange(1, 10_000), default=500, show_default=True, help="Sockets in a storm.")
@click.option("--json", "output", type=click.Path(dir_okay=False, path_type=Path), help="Write the result there too.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Work there, and leave logs and data.")
@click.option(
    "--clients", is_flag=True, help="Try the clients for Python and JavaScript instead, with faults of theirs."
)
def main(
    *, seconds: float, seed: int, faults: str | None, storm: int, output: Path | None, keep: Path | None, clients: bool
) -> None:
    """Publishers and readers at every door, faults on two brokers and their engine, and a checker of the whole history.

    With --clients the publishers and readers are programs that use the clients, behind a proxy that cuts, stalls and
    loses, before a broker that is killed and drained. The status is 0 when every promise was kept, else 1. The same
    seed gives the same faults in the same order; what happens at each moment is up to the machine.
    """
    if clients:
        sys.exit(try_clients(seconds, seed, parse_faults(faults, tuple(CLIENT_FAULTS)), output, keep))
    asked = Asked(seconds, seed, parse_faults(faults), Size(storm=storm))
    allow_open_files(FILES_A_SOCKET * storm + OTHER_FILES)
    facts = describe({})
    history, memory = uvloop.run(_run(asked, keep))
    verdict = check(history)
    click.echo(render(asked, facts, history, verdict, memory))
    if output is not None:
        told = as_json(verdict, felt_faults(history), latencies(history), memory)
        output.write_text(json.dumps({"seconds": seconds, "seed": seed, "facts": facts, **told}, indent=1) + "\n")
    if verdict.violations:
        click.echo(render_violations(verdict), err=True)
        sys.exit(1)


def parse_faults(text: str | None, known: Sequence[str] = ALL) -> Sequence[str]:
    """The faults that were asked for, all by default; raises a usage error for one that does not exist."""
    names = known if text is None else tuple(text.split(","))
    for name in names:
        if name not in known:
            raise click.UsageError(f"There is no fault {name!r}: give some of {', '.join(known)}")
    return names


def render(asked: Asked, facts: Sequence[str], history: History, verdict: Verdict, memory: Memory) -> str:
    """The whole result as Markdown."""
    command = f"`./run soak --seconds {asked.seconds:g} --seed {asked.seed}`"
    lines = "\n".join(f"- {fact}" for fact in (command, *facts))
    tables = (render_verdict(verdict, memory), render_felt(felt_faults(history)), render_latencies(*latencies(history)))
    return "\n\n".join((lines, *tables))


async def _run(asked: Asked, keep: Path | None) -> tuple[History, Memory]:
    with folder_for(keep) as folder:
        async with staged(folder) as stage:
            with progress(asked.seconds, unit="s") as bar:
                return await soak(stage, asked, bar.say_in_time)


if __name__ == "__main__":
    main(prog_name="./run soak")
