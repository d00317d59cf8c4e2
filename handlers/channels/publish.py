"""`POST /channels/{c}/events`: one event or a batch, all or nothing (contract section 3)."""

from starlette.requests import Request
from starlette.types import ASGIApp

from broker.errors import Forbidden
from broker.events import parse_publish
from broker.scopes import is_reserved
from handlers.auth import NO_RIGHT, publish_grant
from handlers.broker import broker_of
from handlers.channels.publishing import Submission, idempotency, publish_one, published_frames, take_rates
from handlers.channels.scheduling import schedule
from handlers.requests import header_of, read_body
from handlers.responses import ready_json

REPLAYED = b"idempotency-replayed: true\r\n"


async def publish(request: Request) -> ASGIApp:
    """Append the events of the body; 201 with them as stored. The same Idempotency-Key answers the same again.

    With `publish_at` they wait for that time: 202 with the id of the scheduled publish.
    """
    broker = broker_of(request)
    channel_id = request.path_params["channel_id"]
    grant = publish_grant(request, channel_id)
    channel = await broker.channels.find(channel_id)
    if is_reserved(channel_id):
        raise Forbidden(NO_RIGHT)
    body = await read_body(request, broker.limits.publish_body_bytes)
    parsed = parse_publish(body, broker.event_limits)
    # A body may be sent slowly, and what a token or its key may do ends with it.
    if not broker.verifier.still_good(grant, broker.now_s()):
        grant = publish_grant(request, channel_id)
    key = idempotency(broker, grant, channel_id, header_of(request.scope, b"idempotency-key"), parsed)
    submission = Submission(channel, grant, parsed.drafts, key)
    await take_rates(broker, submission)
    if parsed.publish_at_ms is not None:
        return await schedule(broker, request, channel, grant, parsed, body, key)
    published = await publish_one(broker, submission)
    wires = [event.wire for event in published_frames(published)]
    body = b'{"events":[%b]}' % b",".join(wires) if parsed.batch else wires[0]
    return ready_json(body, 201, REPLAYED if published.replayed else b"")
