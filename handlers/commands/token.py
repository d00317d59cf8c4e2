"""`./run token`: a signed channel token on stdout, and nothing else (design section 10).

It needs the signing key only, so it works whether the server runs or not, and no admin credential is ever stored.
"""

import time

import click

from broker.errors import Invalid
from broker.ids import render_time
from broker.signing_file import KeyFileUnfit, key_path, load_or_create
from broker.storage.engine_files import EngineFault, open_data
from broker.tokens import mint, parse_mint
from handlers.commands.output import echo_json, json_option
from handlers.commands.settings import CONFIG, DATA, settings_of


@click.command()
@DATA
@click.option("--scope", "scopes", multiple=True, required=True, help="admin, pub:CHANNEL or sub:CHANNEL; repeatable.")
@click.option("--sub", help="Who it is for; the publisher_id of what it publishes.")
@click.option("--name", help="The publisher_name of what it publishes.")
@click.option("--expires", default="7d", show_default=True, help="How long it is good: 90s, 5m, 1h, 7d.")
@json_option("Print it as JSON with what it says.")
@CONFIG
def token(
    *,
    data: str | None,
    scopes: tuple[str, ...],
    sub: str | None,
    name: str | None,
    expires: str,
    as_json: bool,
    config: str | None,
) -> None:
    """Print a token signed with the server's key."""
    settings = settings_of(config, data=data)
    try:
        body = {"scopes": list(scopes), "sub": sub, "name": name, "expires_in": expires}
        request = parse_mint(body)
        path = key_path(open_data(settings.server.data), settings.auth.signing_key_file)
        if not path.exists():
            click.echo(f"Making a new signing key, {path}", err=True)
        now_s = time.time()
        made = mint(request, load_or_create(path), now_s=now_s, audience=settings.server.public_url or None)
        if as_json:
            ends_s = None if request.expires_in_s is None else int(now_s) + request.expires_in_s
            ends = None if ends_s is None else render_time(1000 * ends_s)
            echo_json({"token": made, "scopes": list(scopes), "sub": sub, "name": name, "expires_at": ends})
        else:
            click.echo(made)
    except Invalid as error:
        raise click.UsageError(error.message) from error
    except (EngineFault, KeyFileUnfit) as error:
        raise click.ClickException(str(error)) from error
