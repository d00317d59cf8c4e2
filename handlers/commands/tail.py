"""`./run tail`: follow a channel from a cursor, across restarts of the server, each event once."""

import os
import sys
import time
from collections.abc import Iterable

import click

from broker.errors import Invalid
from handlers.commands.client_options import EPILOG, exit_statuses, say, server_of, server_options
from handlers.commands.output import json_option
from handlers.terminal.colours import When, wants_colour
from handlers.terminal.filters import Filter, parse_pattern
from handlers.terminal.rendering import data_text, event_line
from handlers.terminal.starts import parse_since
from tidemark_client import ChannelEnded, Event, Follower, Gap
from tidemark_client import Invalid as Unfit

MAX_NEWEST = 100


@click.command(epilog=EPILOG)
@click.argument("channel")
@click.option("--cursor", help="Begin after this event.")
@click.option("--since", help="Begin with the events after a time (ISO 8601), or of the last 10m, 2h, 1d.")
@click.option("--newest", type=click.IntRange(0, MAX_NEWEST), help="Begin with so many of the newest events.")
@click.option("--types", help="Only events of these types: a comma list.")
@click.option("--publisher", help="Only events of this publisher_id.")
@click.option("--subject", help="Only events whose data have this subject, as those of events, calendars and calls do.")
@click.option("--grep", "pattern", metavar="REGEX", help="Only events whose data, as they are printed, match this.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto is for a terminal, unless NO_COLOR is set.",
)
@json_option("Print each event as the JSON that the server sent.")
@server_options
def tail(
    *,
    channel: str,
    cursor: str | None,
    since: str | None,
    newest: int | None,
    types: str | None,
    publisher: str | None,
    subject: str | None,
    pattern: str | None,
    color: When,
    as_json: bool,
    url: str | None,
    token: str | None,
    directory: str | None,
) -> None:
    """Print the events of CHANNEL as they come, from now on or from where you say.

    When the connection breaks or the server restarts it comes back and goes on after the last event that it printed:
    each event is printed once. Where WebSockets are not to be had it takes Server-Sent Events, or polls. When events
    were not kept for so long, it says so on stderr. The end of the channel ends it with status 0.
    """
    if sum(start is not None for start in (cursor, since, newest)) > 1:
        raise click.UsageError("Of --cursor, --since and --newest one can be given")
    try:
        since = None if since is None else parse_since(since, int(time.time() * 1000))
        wanted = Filter(publisher, subject, parse_pattern(pattern))
    except Invalid as error:
        raise click.UsageError(error.message) from error
    client = server_of(url, token, directory).client(f"sub:{channel}")
    names = None if types is None else types.split(",")
    try:
        follower = client.follow(channel, cursor=cursor, since=since, newest=newest or 0, types=names, on_gap=_say_gap)
    except Unfit as error:
        raise click.UsageError(str(error)) from error
    is_coloured = wants_colour(color, os.environ, is_terminal=sys.stdout.isatty())
    with exit_statuses():
        _print_all(follower, wanted, as_json=as_json, is_coloured=is_coloured)


def _print_all(follower: Follower, wanted: Filter, *, as_json: bool, is_coloured: bool) -> None:
    try:
        with follower:
            for event in _wanted(follower, wanted):
                # What was asked for is not for click to take away.
                line = event.text if as_json else event_line(event.fields, is_coloured=is_coloured)
                click.echo(line, color=is_coloured)
    except ChannelEnded as ended:
        say(str(ended))


def _wanted(events: Iterable[Event], wanted: Filter) -> Iterable[Event]:
    return (event for event in events if wanted.wants(event.fields, data_text(event.fields)))


def _say_gap(gap: Gap) -> None:
    say(f"There is a gap: events after {gap.after} are no longer kept; resuming after {gap.resume}")
