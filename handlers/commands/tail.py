"""`./run tail`: follow a channel from a cursor, across restarts of the server, each event once."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

import click

from broker.errors import Invalid
from handlers.client.api import Api
from handlers.client.endings import Ended
from handlers.client.first_page import cursor_of_newest, cursor_since
from handlers.client.follower import Follower, Following
from handlers.client.rendering import event_line
from handlers.client.starts import parse_cursor, parse_since
from handlers.commands.client_options import EPILOG, exit_statuses, say, server_of, server_options

MAX_NEWEST = 100


@click.command(epilog=EPILOG)
@click.argument("channel")
@click.option("--cursor", help="Begin after this event.")
@click.option("--since", help="Begin with the events after a time (ISO 8601), or of the last 10m, 2h, 1d.")
@click.option("--newest", type=click.IntRange(0, MAX_NEWEST), help="Begin with so many of the newest events.")
@click.option("--types", help="Only events of these types: a comma list.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as the JSON that the server sent.")
@server_options
def tail(
    *,
    channel: str,
    cursor: str | None,
    since: str | None,
    newest: int | None,
    types: str | None,
    as_json: bool,
    url: str | None,
    token: str | None,
    directory: str | None,
) -> None:
    """Print the events of CHANNEL as they come, from now on or from where you say.

    When the connection breaks or the server restarts it comes back and goes on after the last event that it printed:
    each event is printed once. When events were not kept for so long, it says so on stderr. The end of the channel ends
    it with status 0.
    """
    if sum(start is not None for start in (cursor, since, newest)) > 1:
        raise click.UsageError("Of --cursor, --since and --newest one can be given")
    find_start = _start(channel, cursor, since, newest, types)
    server = server_of(url, token, directory)
    following = Following(server.url, channel, types, server.token_for(f"sub:{channel}"), server.signs)
    with exit_statuses():
        start = find_start(Api(following.url, following.token))
        asyncio.run(_print_all(Follower(following, start, say), as_json=as_json))


async def _print_all(follower: Follower, *, as_json: bool) -> None:
    try:
        async with aclosing(follower.events()) as events:
            async for event in events:
                click.echo(event.text if as_json else event_line(event.fields))
    except Ended as ended:
        say(f"The server ended the channel: {ended}")


def _start(
    channel: str, cursor: str | None, since: str | None, newest: int | None, types: str | None
) -> Callable[[Api], str]:
    """What finds the first cursor; raises click's usage error before anything is asked."""
    try:
        if cursor is not None:
            given = parse_cursor(cursor)
            return lambda _: given
        if since is not None:
            time_text = parse_since(since, int(time.time() * 1000))
            return lambda api: cursor_since(api, channel, time_text, say)
    except Invalid as error:
        raise click.UsageError(error.message) from error
    return lambda api: cursor_of_newest(api, channel, newest or 0, types, say)
