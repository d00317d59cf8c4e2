"""`./run timers`: what will fire, when, and for what (design section 5)."""

import click

from broker.ids import render_time
from broker.storage.timers import Listing, Timers
from broker.timers import Pending, render_pending
from handlers.commands.engine_access import on_engine
from handlers.commands.output import echo_json, json_option
from handlers.commands.settings import CONFIG, DATA, settings_of


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000), default=100, show_default=True, help="How many at most.")
@json_option("Print JSON: the number of all, and those that are due next.")
@DATA
@CONFIG
def timers(*, limit: int, as_json: bool, data: str | None, config: str | None) -> None:
    """Show the timers that are due next, one a line: when, kind, owner and subject."""
    listing: Listing = on_engine(settings_of(config, data=data), lambda engine: Timers(engine).pending(limit=limit))
    if as_json:
        echo_json({"total": listing.total, "timers": [render_pending(each) for each in listing.timers]})
        return
    for each in listing.timers:
        click.echo(line_of(each))
    if listing.total > len(listing.timers):
        click.echo(f"{listing.total - len(listing.timers)} more", err=True)


def line_of(pending: Pending) -> str:
    """A timer on one line."""
    name, due_ms = pending.timer
    doing = f"  being done, try {pending.tries + 1}" if pending.is_claimed else ""
    return f"{render_time(due_ms)}  {name.kind}  {name.owner}  {name.subject}{doing}"
