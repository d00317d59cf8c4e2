"""`worker`: one of several processes behind a port. `./run serve` starts it; nobody else does.

It reads the settings as JSON from its standard input and says `ready` on its standard output when it serves.
"""

import asyncio
import socket
import sys
from pathlib import Path

import click
import uvloop

from broker.config import Settings
from broker.signing_file import key_path, load_or_create
from broker.storage.engine_files import open_data
from handlers.logs import configure_logs
from handlers.process import serve_broker
from handlers.serving.tls import TlsUnfit
from handlers.workers import READY


@click.command(hidden=True)
@click.option("--engine", required=True, help="The engine's URL.")
@click.option("--metrics", type=Path, required=True, help="The directory of the counts of all workers.")
@click.option("--admin", "admin_fds", type=int, multiple=True, help="A socket of the admin listener.")
@click.argument("fds", type=int, nargs=-1, required=True)
def worker(engine: str, metrics: Path, admin_fds: tuple[int, ...], fds: tuple[int, ...]) -> None:
    """Serve on the inherited sockets FDS."""
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    configure_logs(settings.log.level, settings.log.format)
    signing_key = load_or_create(key_path(open_data(Path(settings.server.data)), settings.auth.signing_key_file))
    sockets, admin = ([socket.socket(fileno=fd) for fd in each] for each in (fds, admin_fds))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(serve_broker(settings, signing_key, engine, sockets, metrics, admin, on_serving=_say_ready))
        except TlsUnfit as error:
            raise click.ClickException(str(error)) from error


def _say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
