"""`POST /directory/claim`: a signed word that this server has these channels (contract section 11)."""

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer
from broker.channels import is_channel_id
from broker.directory import missing_channels, parse_claim_request, render_claim, render_signed
from broker.errors import NotFound
from broker.ids import render_time
from handlers.auth import read_as_admin
from handlers.broker import Broker, broker_of
from handlers.channels.server_identity import SERVER_IDENTITY
from handlers.idempotency import Keeping, json_kept, once
from handlers.site_url import site_url


async def claim_channels(request: Request) -> Response:
    """A claim `{server_url, channels, timestamp, action?}` in base64url, and the Ed25519 signature over its bytes."""
    broker = broker_of(request)
    grant, body = await read_as_admin(request)
    wanted = parse_claim_request(body)

    async def act(_: Keeping) -> Answer:
        missing = [channel_id for channel_id in wanted.channels if not await _exists(broker, channel_id)]
        if missing:
            raise missing_channels(missing)
        claim = render_claim(wanted, site_url(request), render_time(await broker.engine.now_ms()))
        return json_kept(render_signed(claim, broker.signing_key.sign(claim)))

    # It changes nothing, so its answer may lie anywhere.
    return await once(request, grant, body, broker.documents.partition(SERVER_IDENTITY), act)


async def _exists(broker: Broker, channel_id: str) -> bool:
    """Whether the channel is there now, whatever this process remembers of it."""
    try:
        return is_channel_id(channel_id) and bool(await broker.channels.refresh(channel_id))
    except NotFound:
        return False
