"""`./run serve`: the engine first, the server beside it, the engine last (design sections 3 and 10)."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click
import uvloop

from broker.config import Settings
from broker.config_values import EMBEDDED
from broker.signing import SigningKey
from broker.signing_file import KeyFileUnfit, key_path, load_or_create
from broker.storage.embedded import EmbeddedEngine
from broker.storage.engine import EngineUnfit
from broker.storage.engine_files import EngineFault, open_data
from handlers.admin_listener import bind_admin
from handlers.commands.first_steps import first_steps, run_from
from handlers.commands.settings import CONFIG, DATA, settings_of
from handlers.listening import CannotListen, bind_shares, shown
from handlers.logs import configure_logs
from handlers.metrics.directory import metrics_directory
from handlers.process import check_engine, serve_broker
from handlers.serving.tls import TlsUnfit
from handlers.wiring import tls_of
from handlers.workers import Workers

logger = logging.getLogger(__name__)


@click.command()
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port to listen on, 0 for a free one.  [default: 8000]")
@click.option("--workers", type=int, help="Processes that share the port.  [default: 1]")
@DATA
@CONFIG
def serve(host: str | None, port: int | None, workers: int | None, data: str | None, config: str | None) -> None:
    """Serve until SIGTERM or Ctrl-C; ready when /readyz answers 200."""
    settings = settings_of(config, host=host, port=port, workers=workers, data=data)
    configure_logs(settings.log.level, settings.log.format)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        _serve_all(settings, config)
    except (CannotListen, EngineFault, EngineUnfit, KeyFileUnfit, TlsUnfit) as error:
        raise click.ClickException(str(error)) from error


def _end(number: int, _: FrameType | None) -> None:
    """Unwind, so that the engine is stopped: before the server takes signals, and when it raises them again at its end,
    as uvicorn does."""
    raise SystemExit(0 if number == signal.SIGTERM else 128 + number)


def _serve_all(settings: Settings, config: str | None) -> None:
    tls_of(settings)  # said now, and not by a worker
    admin = bind_admin(settings.server.admin_listen)
    shares = bind_shares(settings.server.host, settings.server.port, settings.server.workers)
    directory = open_data(settings.server.data)
    path = key_path(directory, settings.auth.signing_key_file)
    is_first_start = not path.exists()
    with ExitStack() as stack:
        engine = _embedded(settings, directory)
        if engine is not None:
            stack.enter_context(engine)
        metrics = stack.enter_context(metrics_directory(directory))
        signing_key = load_or_create(path)

        def announce() -> None:
            port: int = shares[0][0].getsockname()[1]
            if is_first_start:
                click.echo(first_steps(settings, config, port, run_from(Path.cwd())), err=True)
            logger.info("Serving on %s://%s", settings.server.scheme, shown(settings.server.host, port))

        # The parent of workers only watches, and uvloop would fork them in a way of its own.
        loop_factory = uvloop.new_event_loop if len(shares) == 1 else None
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_serve(settings, signing_key, engine, shares, metrics, admin, announce))


def _embedded(settings: Settings, data: Path) -> EmbeddedEngine | None:
    engine = settings.engine
    return EmbeddedEngine(data, binary=engine.binary, fsync=engine.fsync) if engine.url == EMBEDDED else None


async def _serve(
    settings: Settings,
    signing_key: SigningKey,
    engine: EmbeddedEngine | None,
    shares: list[list[socket.socket]],
    metrics: Path,
    admin: list[socket.socket],
    announce: Callable[[], None],
) -> None:
    url = settings.engine.url if engine is None else engine.url
    watching = None if engine is None else asyncio.create_task(engine.watch())
    try:
        await check_engine(settings, signing_key, url)
        announce()
        if len(shares) == 1:
            await serve_broker(settings, signing_key, url, shares[0], metrics, admin)
        else:
            await Workers(settings, url, shares, metrics, admin).run()
    finally:
        if watching is not None:
            watching.cancel()
