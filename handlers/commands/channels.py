"""`./run channels`: list, show, create and delete channels of a server."""

import json
from collections.abc import Iterator
from typing import Any

import click

from handlers.commands.client_options import EPILOG, exit_statuses, say, server_of, server_options
from handlers.commands.output import echo_json, json_option
from handlers.terminal.rendering import channel_line, printable
from tidemark_client import Client
from tidemark_client.answers import member

JSON = json_option("Print JSON, a line for each channel.")


@click.group(invoke_without_command=True)
@click.pass_context
def channels(ctx: click.Context) -> None:
    """List, show, create and delete channels; without a command, list them."""
    if ctx.invoked_subcommand is None:
        # Parsed like a command line of its own, so that the environment counts.
        with list_all.make_context("list", [], parent=ctx) as listing:
            list_all.invoke(listing)


@channels.command("list", epilog=EPILOG)
@JSON
@server_options
def list_all(*, as_json: bool, url: str | None, token: str | None, directory: str | None) -> None:
    """List the channels that the token reaches, newest first; without a token the public ones.

    A line has the id, public or private, the number of events ever published, the time of the last one, and the name.
    """
    with exit_statuses():
        for channel in _every(server_of(url, token, directory).client("sub:*")):
            if as_json:
                echo_json(channel)
            else:
                click.echo(channel_line(channel))


@channels.command(epilog=EPILOG)
@click.argument("channel")
@JSON
@server_options
def show(*, channel: str, as_json: bool, url: str | None, token: str | None, directory: str | None) -> None:
    """Print all that the server says of CHANNEL, as JSON."""
    client = server_of(url, token, directory).client(f"sub:{channel}")
    with exit_statuses():
        shown = client.request("GET", "channels", channel)
        if as_json:
            echo_json(shown)
            return
        pretty = json.dumps(shown, indent=2, ensure_ascii=False)
        click.echo("\n".join(map(printable, pretty.split("\n"))))


@channels.command(epilog=EPILOG)
@click.argument("channel")
@click.option("--name", help="The name that people see.  [default: the id]")
@click.option("--description", help="What it is for.")
@click.option(
    "--public/--private", "is_public", default=False, show_default=True, help="Who may read it without a token."
)
@JSON
@server_options
def create(
    *,
    channel: str,
    name: str | None,
    description: str | None,
    is_public: bool,
    as_json: bool,
    url: str | None,
    token: str | None,
    directory: str | None,
) -> None:
    """Create CHANNEL; prints a token that publishes to it and reads it, and never expires. Needs the admin scope."""
    client = server_of(url, token, directory).client("admin")
    body = {"id": channel, "name": name or channel, "description": description, "is_public": is_public}
    with exit_statuses():
        created = client.request("POST", "channels", json=body)
        made = member(created, "token")
        if as_json:
            echo_json(created)
            return
        say(f"Created {channel}. Its token, which publishes to it and reads it and never expires:")
        click.echo(made)


@channels.command(epilog=EPILOG)
@click.argument("channel")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
@server_options
def delete(
    *, channel: str, yes: bool, as_json: bool, url: str | None, token: str | None, directory: str | None
) -> None:
    """Delete CHANNEL with all its events; its readers are told. Needs the admin scope."""
    client = server_of(url, token, directory).client("admin")
    if not yes:
        click.confirm(f"Delete {channel} and all its events at {client.url.origin}?", abort=True, err=True)
    with exit_statuses():
        client.request("DELETE", "channels", channel)
        if as_json:
            echo_json({"id": channel, "deleted": True})
        else:
            say(f"Deleted {channel}")


def _every(client: Client) -> Iterator[dict[str, Any]]:
    """All channels, page by page; a page may be empty and not the last."""
    cursor = None
    while True:
        page = client.request("GET", "channels", query={} if cursor is None else {"cursor": cursor})
        yield from member(page, "channels")
        cursor = page.get("cursor")
        if not page.get("has_more") or cursor is None:
            return
