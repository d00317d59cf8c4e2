"""`./run channels`: list, show, create and delete channels of a server."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import click

from handlers.client.api import Api, Call, member
from handlers.client.persistence import persist
from handlers.client.publisher import KEY_HEADER
from handlers.client.rendering import channel_line, printable
from handlers.commands.client_options import EPILOG, exit_statuses, say, server_of, server_options

PATIENCE_S = 10.0
JSON = click.option("--json", "as_json", is_flag=True, help="Print the JSON that the server sent, a line for each.")


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
        for channel in _every(_api(url, token, directory, "sub:*")):
            click.echo(_compact(channel) if as_json else channel_line(channel))


@channels.command(epilog=EPILOG)
@click.argument("channel")
@server_options
def show(*, channel: str, url: str | None, token: str | None, directory: str | None) -> None:
    """Print all that the server says of CHANNEL, as JSON."""
    api = _api(url, token, directory, f"sub:{channel}")
    with exit_statuses():
        shown = _persist(api, Call("GET", api.url.path("channels", channel)))
        click.echo("\n".join(map(printable, json.dumps(shown, indent=2, ensure_ascii=False).split("\n"))))


@channels.command(epilog=EPILOG)
@click.argument("channel")
@click.option("--name", help="The name that people see.  [default: the id]")
@click.option("--description", help="What it is for.")
@click.option(
    "--public/--private", "is_public", default=False, show_default=True, help="Who may read it without a token."
)
@server_options
def create(
    *,
    channel: str,
    name: str | None,
    description: str | None,
    is_public: bool,
    url: str | None,
    token: str | None,
    directory: str | None,
) -> None:
    """Create CHANNEL; prints a token that publishes to it and reads it, and never expires. Needs the admin scope."""
    api = _api(url, token, directory, "admin")
    body = {"id": channel, "name": name or channel, "description": description, "is_public": is_public}
    call = Call("POST", api.url.path("channels"), json.dumps(body).encode(), _key())
    with exit_statuses():
        created = _persist(api, call)
        say(f"Created {channel}. Its token, which publishes to it and reads it and never expires:")
        click.echo(member(created, "token"))


@channels.command(epilog=EPILOG)
@click.argument("channel")
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_options
def delete(*, channel: str, yes: bool, url: str | None, token: str | None, directory: str | None) -> None:
    """Delete CHANNEL with all its events; its readers are told. Needs the admin scope."""
    api = _api(url, token, directory, "admin")
    if not yes:
        click.confirm(f"Delete {channel} and all its events at {api.url.origin}?", abort=True, err=True)
    with exit_statuses():
        _persist(api, Call("DELETE", api.url.path("channels", channel), headers=_key()))
        say(f"Deleted {channel}")


def _api(url: str | None, token: str | None, directory: str | None, scope: str) -> Api:
    server = server_of(url, token, directory)
    return Api(server.url, server.token_for(scope))


def _persist(api: Api, call: Call) -> Any:
    return persist(api, call, patience_s=PATIENCE_S, say=say)


def _every(api: Api) -> Iterator[dict[str, Any]]:
    """All channels, page by page; a page may be empty and not the last."""
    cursor = None
    while True:
        page = _persist(api, Call("GET", api.url.path("channels", cursor=cursor)))
        yield from member(page, "channels")
        cursor = page.get("cursor")
        if not page.get("has_more") or cursor is None:
            return


def _key() -> dict[str, str]:
    return {KEY_HEADER: secrets.token_hex(16)}


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
