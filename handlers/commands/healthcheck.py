"""`./run healthcheck`: is the server of these settings ready; for containers, which have no curl.

It asks on the admin listener where there is one: that answers also while the server has all the connections it may.
"""

import http.client

import click

from broker.config import ServerSettings
from handlers.commands.settings import CONFIG, settings_of
from handlers.listening import reachable

TIMEOUT_S = 4.0


@click.command()
@click.option("--host", help="The address that the server listens on.  [default: as for serve]")
@click.option("--port", type=int, help="Its port.  [default: as for serve]")
@click.option("--live", is_flag=True, help="Ask whether it is alive, not whether it may get traffic.")
@CONFIG
def healthcheck(*, host: str | None, port: int | None, live: bool, config: str | None) -> None:
    """Exit with 0 when the server is ready, with 1 when it is not."""
    server = settings_of(config, host=host, port=port).server
    host, port = address_of(server) if host is None and port is None else (reachable(server.host), server.port)
    path = "/healthz" if live else "/readyz"
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
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


def address_of(server: ServerSettings) -> tuple[str, int]:
    """Where to ask: the admin listener, where there is none the server itself."""
    admin_host, _, admin_port = server.admin_listen.rpartition(":")
    if admin_port.strip("0"):
        return admin_host.strip("[]"), int(admin_port)
    return reachable(server.host), server.port
