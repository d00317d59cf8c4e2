"""`./run serve`: the engine first, the server beside it, the engine last (design sections 3 and 10)."""

import asyncio
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click
import uvloop

from broker.config import Settings
from broker.signing import SigningKey
from broker.signing_file import KeyFileUnfit, key_path, load_or_create
from broker.storage.embedded import EmbeddedEngine
from broker.storage.engine_files import EngineFault, open_data
from handlers.admin_listener import bind_admin
from handlers.commands.first_steps import first_steps
from handlers.commands.settings import CONFIG, DATA, settings_of
from handlers.listening import CannotListen
from handlers.logs import configure_logs
from handlers.metrics.directory import metrics_directory
from handlers.process import serve_broker

EMBEDDED = "embedded"


@click.command()
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port to listen on, 0 for a free one.  [default: 8000]")
@DATA
@CONFIG
def serve(host: str | None, port: int | None, data: str | None, config: str | None) -> None:
    """Serve until SIGTERM or Ctrl-C; ready when /readyz answers 200."""
    settings = settings_of(config, host=host, port=port, data=data)
    configure_logs(settings.log.level, settings.log.format)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        admin = bind_admin(settings.server.admin_listen)
        directory = open_data(settings.server.data)
        path = key_path(directory, settings.auth.signing_key_file)
        is_first_start = not path.exists()
        with ExitStack() as stack:
            engine = _embedded(settings, directory)
            if engine is not None:
                stack.enter_context(engine)
            metrics = stack.enter_context(metrics_directory(directory))
            signing_key = load_or_create(path)
            if is_first_start:
                click.echo(first_steps(settings, config), err=True)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, signing_key, engine, metrics, admin))
    except (CannotListen, EngineFault, KeyFileUnfit) as error:
        raise click.ClickException(str(error)) from error


def _end(number: int, _: FrameType | None) -> None:
    """Unwind, so that the engine is stopped: before the server takes signals, and when it raises them again at its end,
    as uvicorn does."""
    raise SystemExit(0 if number == signal.SIGTERM else 128 + number)


def _embedded(settings: Settings, data: Path) -> EmbeddedEngine | None:
    return EmbeddedEngine(data, binary=settings.engine.binary) if settings.engine.url == EMBEDDED else None


async def _serve(
    settings: Settings,
    signing_key: SigningKey,
    engine: EmbeddedEngine | None,
    metrics: Path,
    admin: list[socket.socket],
) -> None:
    if engine is None:
        await serve_broker(settings, signing_key, settings.engine.url, metrics, admin)
        return
    watching = asyncio.create_task(engine.watch())
    try:
        await serve_broker(settings, signing_key, engine.url, metrics, admin)
    finally:
        watching.cancel()
