"""One broker process: the app behind its bounded server, until it is asked to stop."""

import asyncio

from broker.config import Settings
from broker.signing import SigningKey
from handlers.app import create_app
from handlers.serving.admission import Admission
from handlers.serving.drain import Drain
from handlers.serving.gate import Gate
from handlers.serving.refusals import Refusals
from handlers.serving.server import DrainingServer, allow_open_files, build_config
from handlers.wiring import serving_limits_of


async def serve_broker(settings: Settings, signing_key: SigningKey, engine_url: str) -> None:
    """Serve until SIGTERM or SIGINT, then drain; the engine at `engine_url` must be up before and stop after."""
    limits, drain, refusals = serving_limits_of(settings), Drain(), Refusals()
    gate = Gate(limits, Admission(limits, asyncio.get_running_loop().time()), refusals)
    app = create_app(settings, signing_key, engine_url, drain, refusals)
    config = build_config(app, gate, host=settings.server.host, port=settings.server.port)
    allow_open_files(limits.connections)
    await DrainingServer(config, gate, drain, freeze_memory=True).serve()
