"""`./run key`: API keys of tenants, made, listed and revoked on the engine of a running server (design section 10).

Making one prints the key, and nothing else, on stdout: it is kept nowhere.
"""

import click

from broker.api_keys import ApiKey, parse_request, render_key
from broker.errors import Invalid
from broker.ids import render_time
from broker.sealing import Sealer
from broker.storage.api_keys import ApiKeys
from broker.storage.appender import Retention
from broker.storage.channels import Channels
from broker.storage.commit import Commits
from broker.storage.engine import Engine
from broker.storage.state import Reader
from broker.tenants import APIS, parse_tenant
from handlers.commands.engine_access import on_engine
from handlers.commands.output import echo_json, json_option
from handlers.commands.settings import CONFIG, DATA, settings_of
from handlers.wiring import retention_of


@click.command()
@click.option("--tenant", help="The organisation, team or company that it is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(APIS), help="An API it may call; repeatable.")
@click.option("--agent", help="With the scope calendar: the one agent that it is for.")
@click.option("--list", "is_list", is_flag=True, help="List the keys, of --tenant or of all, instead of making one.")
@click.option("--revoke", metavar="ID", help="End the key with this id, as --list shows it.")
@json_option("Print JSON, a line for each key.")
@DATA
@CONFIG
def key(
    *,
    tenant: str | None,
    scopes: tuple[str, ...],
    agent: str | None,
    is_list: bool,
    revoke: str | None,
    as_json: bool,
    data: str | None,
    config: str | None,
) -> None:
    """Make an API key and print it; or list keys, or revoke one."""
    if is_list + (revoke is not None) + bool(scopes) != 1:
        raise click.UsageError("Say one of: --tenant T --scope API to make a key, --list, --revoke ID")
    settings = settings_of(config, data=data)
    retention = retention_of(settings)
    try:
        if is_list:
            wanted = parse_tenant(tenant) if tenant is not None else None
            for each in on_engine(settings, lambda engine: _keys(engine, retention).list(wanted)):
                _print(each, as_json=as_json)
        elif revoke is not None:
            revoked = on_engine(settings, lambda engine: _keys(engine, retention).revoke(revoke))
            _print(revoked, as_json=as_json)
        else:
            request = parse_request(tenant, scopes, agent)
            text, made = on_engine(settings, lambda engine: _keys(engine, retention).create(request))
            if as_json:
                echo_json({**render_key(made), "key": text})
                return
            click.echo(f"Made {made.id} for {made.tenant}", err=True)
            click.echo(text)
    except Invalid as error:
        raise click.UsageError(error.message) from error


def _print(key: ApiKey, *, as_json: bool) -> None:
    if as_json:
        echo_json(render_key(key))
    else:
        click.echo(line_of(key))


def line_of(key: ApiKey) -> str:
    """A key on one line: id, how it begins, tenant, scopes, agent, when it was made and revoked."""
    agent = f" agent {key.agent}" if key.agent is not None else ""
    revoked = f" revoked {render_time(key.revoked_ms)}" if key.revoked_ms is not None else ""
    scopes = ",".join(key.apis)
    return f"{key.id}  {key.prefix}...  {key.tenant}  {scopes}{agent}  {render_time(key.created_ms)}{revoked}"


def _keys(engine: Engine, retention: Retention) -> ApiKeys:
    # Nothing is answered to an Idempotency-Key here, so nothing is sealed.
    sealer, channels = Sealer(b""), Channels(engine, most=1)
    reader = Reader(engine, channels, sealer)
    return ApiKeys(engine, reader, Commits(engine, channels, reader, sealer, retention))
