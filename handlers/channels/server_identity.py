"""Who runs this server: `/server` (contract section 11)."""

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer
from broker.identity import Identity, apply_identity, parse_identity, render_identity
from broker.ids import render_time
from handlers.auth import read_as_admin
from handlers.broker import Broker, broker_of
from handlers.idempotency import Keeping, json_kept, once
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
    grant, body = await read_as_admin(request)
    changes, updated_at = parse_identity(body), render_time(await broker.engine.now_ms())

    async def act(keeping: Keeping) -> Answer:
        document, _ = await broker.documents.change(
            SERVER_IDENTITY,
            lambda known: apply_identity(known, changes, updated_at),
            lambda document: keeping.of(json_kept(render_identity(document))),
        )
        return json_kept(render_identity(document))

    return await once(request, grant, body, broker.documents.partition(SERVER_IDENTITY), act)
