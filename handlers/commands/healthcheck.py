"""`./run healthcheck`: is the server of these settings ready; for containers, which have no curl.

It asks on the admin listener where there is one: that answers also while the server has all the connections it may.
"""

import http.client
import ssl

import click

from broker.config import ServerSettings
from handlers.commands.output import json_option
from handlers.commands.settings import CONFIG, settings_of
from handlers.listening import reachable

TIMEOUT_S = 4.0


@click.command()
@click.option("--host", help="The address that the server listens on.  [default: as for serve]")
@click.option("--port", type=int, help="Its port.  [default: as for serve]")
@click.option("--live", is_flag=True, help="Ask whether it is alive, not whether it may get traffic.")
@json_option("Print what the server says of itself.")
@CONFIG
def healthcheck(*, host: str | None, port: int | None, live: bool, as_json: bool, config: str | None) -> None:
    """Exit with 0 when the server is ready, with 1 when it is not."""
    server = settings_of(config, host=host, port=port).server
    admin = admin_address(server) if host is None and port is None else None
    host, port = admin or (reachable(server.host), server.port)
    path = "/healthz" if live else "/readyz"
    connection = connection_to(host, port, is_secure=admin is None and server.scheme == "https")
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise click.ClickException(f"{host} port {port} does not answer {path}: {error}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise click.ClickException(f"{host} port {port} answers {path} with {answer.status}: {said}")
    if as_json:
        click.echo(said)


def admin_address(server: ServerSettings) -> tuple[str, int] | None:
    """Where the admin listener is, None where there is none."""
    host, _, port = server.admin_listen.rpartition(":")
    return (host.strip("[]"), int(port)) if port.strip("0") else None


def connection_to(host: str, port: int, *, is_secure: bool) -> http.client.HTTPConnection:
    """A connection that takes any certificate: it is for the name by which the world knows this server, and nothing is
    told here."""
    if not is_secure:
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
