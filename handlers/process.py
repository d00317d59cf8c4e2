"""One broker process: the app behind its bounded server, until it is asked to stop."""

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from broker.config import Settings
from broker.errors import Unavailable
from broker.signing import SigningKey
from broker.storage.engine import EngineUnfit
from handlers.app import create_app, open_fit_engine
from handlers.logs import clean
from handlers.metrics import readings
from handlers.metrics.meter import Meter
from handlers.serving.admission import Admission
from handlers.serving.drain import Drain
from handlers.serving.gate import Gate
from handlers.serving.refusals import Refusals
from handlers.serving.server import DrainingServer, allow_open_files, build_config
from handlers.wiring import serving_limits_of, tls_of


async def serve_broker(
    settings: Settings,
    signing_key: SigningKey,
    engine_url: str,
    sockets: list[socket.socket],
    metrics: Path,
    admin: Sequence[socket.socket] = (),
    on_serving: Callable[[], None] | None = None,
) -> None:
    """Serve on bound sockets until SIGTERM or SIGINT, then drain; the engine must be up before and stop after.

    With TLS, SIGHUP reads the certificate anew. Raises `TlsUnfit`.
    `metrics` is the directory that all processes of this server share, `admin` the sockets of the admin listener.
    `on_serving` is called once, when it listens.
    """
    tls = tls_of(settings)
    limits, drain, refusals = serving_limits_of(settings), Drain(), Refusals()
    gate = Gate(limits, Admission(limits, asyncio.get_running_loop().time()), refusals)
    allow_open_files(limits.connections)
    with Meter(metrics) as meter:
        meter.add(partial(readings.read_meter, meter))
        meter.add(partial(readings.read_gate, gate))
        meter.add(readings.reader_of_process(lambda: drain.started))
        app = create_app(settings, signing_key, engine_url, drain, refusals, meter, admin)
        if tls is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, tls.reload)
        server = DrainingServer(build_config(app, gate, tls), gate, drain, freeze_memory=True, on_serving=on_serving)
        await server.serve(sockets)


async def check_engine(settings: Settings, signing_key: SigningKey, engine_url: str) -> None:
    """Raises `EngineUnfit` where the engine or the key does not fit, or nothing answers at the URL.

    To be asked before the server starts: in there a reason not to start is a traceback in a log.
    """
    try:
        engine = await open_fit_engine(settings, signing_key, engine_url)
    except Unavailable as error:
        cause = f" ({clean(str(error.__cause__))})" if error.__cause__ else ""
        raise EngineUnfit(f"The engine at {clean(engine_url)} cannot be used: {error.message}{cause}") from error
    await engine.close()
