"""One broker process: the app behind its bounded server, until it is asked to stop."""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from broker.config import Settings
from broker.signing import SigningKey
from handlers.app import create_app
from handlers.metrics import readings
from handlers.metrics.meter import Meter
from handlers.serving.admission import Admission
from handlers.serving.drain import Drain
from handlers.serving.gate import Gate
from handlers.serving.refusals import Refusals
from handlers.serving.server import DrainingServer, allow_open_files, build_config
from handlers.wiring import serving_limits_of


async def serve_broker(
    settings: Settings, signing_key: SigningKey, engine_url: str, metrics: Path, admin: Sequence[socket.socket]
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; the engine at `engine_url` must be up before and stop after.

    `metrics` is the directory that all processes of this server share, `admin` the sockets of the admin listener.
    """
    limits, drain = serving_limits_of(settings), Drain()
    gate = Gate(limits, Admission(limits, asyncio.get_running_loop().time()), Refusals())
    allow_open_files(limits.connections)
    with Meter(metrics) as meter:
        meter.add(partial(readings.read_meter, meter))
        meter.add(partial(readings.read_gate, gate))
        meter.add(readings.reader_of_process(lambda: drain.started))
        app = create_app(settings, signing_key, engine_url, drain, meter, admin)
        config = build_config(app, gate, host=settings.server.host, port=settings.server.port)
        await DrainingServer(config, gate, drain, freeze_memory=True).serve()
