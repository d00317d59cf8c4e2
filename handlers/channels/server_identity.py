"""Who runs this server: `/server` (contract section 11)."""

from starlette.requests import Request
from starlette.responses import Response

from broker.identity import Identity, apply_identity, parse_identity, render_identity
from broker.ids import render_time
from handlers.auth import read_as_admin
from handlers.broker import Broker, broker_of
from handlers.responses import json_answer

SERVER_IDENTITY = "server-identity"


async def identity_of(broker: Broker) -> Identity:
    """The identity as it is shown; raises `Unavailable`."""
    document, _ = await broker.documents.load(SERVER_IDENTITY)
    return render_identity(document)


async def get_server(request: Request) -> Response:
    """The name of this server, what it is for, and whom to ask."""
    return json_answer(await identity_of(broker_of(request)))


async def put_server(request: Request) -> Response:
    """Change the named fields; null clears one, and brings back the default name."""
    broker = broker_of(request)
    _, body = await read_as_admin(request)
    changes, updated_at = parse_identity(body), render_time(await broker.engine.now_ms())
    document, _ = await broker.documents.change(
        SERVER_IDENTITY, lambda known: apply_identity(known, changes, updated_at)
    )
    return json_answer(render_identity(document))
