"""`./run tail`: follow a channel from a cursor, across restarts of the server, each event once."""

import asyncio
import math
import time

import click

from broker.errors import Invalid
from handlers.client.api import Api, Call, member
from handlers.client.endings import Ended
from handlers.client.follower import Follower, Following
from handlers.client.persistence import persist
from handlers.client.rendering import event_line
from handlers.client.starts import cursor_before, cursor_of_text, cursor_since
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
    server = server_of(url, token, directory)
    following = Following(server.url, channel, types, server.token_for(f"sub:{channel}"), server.signs)
    start = _start(cursor, since)
    with exit_statuses():
        if start is None:
            start = _newest(following, newest or 0)
        asyncio.run(_print_all(Follower(following, start, say), as_json=as_json))


async def _print_all(follower: Follower, *, as_json: bool) -> None:
    try:
        async for event in follower.events():
            click.echo(event.text if as_json else event_line(event.fields))
    except Ended as ended:
        say(f"The server ended the channel: {ended}")


def _newest(following: Following, count: int) -> str:
    """The cursor before the `count` newest events. A reader needs one at once: a connection can break before an event.

    Without one it would begin at the newest event of later, having missed those between.
    """
    api = Api(following.url, following.token)
    types = following.types if count else None
    path = following.url.path("channels", following.channel_id, "events", limit=max(1, count), types=types)
    page = persist(api, Call("GET", path), patience_s=math.inf, say=say)
    api.close()
    events = member(page, "events") if count else []
    return cursor_before(events[0]["id"]) if events else str(member(page, "cursor"))


def _start(cursor: str | None, since: str | None) -> str | None:
    try:
        if cursor is not None:
            return cursor_of_text(cursor)
        return None if since is None else cursor_since(since, int(time.time() * 1000))
    except Invalid as error:
        raise click.UsageError(error.message) from error
