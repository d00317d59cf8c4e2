"""One event: get, delete, its replies and its thread (contract sections 1 and 13).

Decided on the channel's record of now: where the log says that the cached one is old, it is read and decided again.
"""

from starlette.requests import Request
from starlette.responses import Response

from broker.change import Answer
from broker.errors import Invalid, NotFound
from broker.ids import Cursor, parse_ulid
from broker.storage.log import NO_EVENT
from handlers.auth import publish_grant, require_publish, require_read
from handlers.broker import broker_of
from handlers.channels.reading import read_of_now
from handlers.fresh_record import on_fresh_record
from handlers.idempotency import DONE, Keeping, once
from handlers.responses import json_bytes


async def get_event(request: Request) -> Response:
    """One event by its id; 404 for an id of another channel, or none at all."""
    log = broker_of(request).log
    event = await read_of_now(request, lambda channel: log.get(channel, _cursor(request)))
    return json_bytes(event.wire)


async def delete_event(request: Request) -> Response:
    """Delete an event for its publisher or an admin; it is gone at every door when this answers."""
    broker, channel_id = broker_of(request), request.path_params["channel_id"]

    async def act(keeping: Keeping) -> Answer:
        return await on_fresh_record(broker, channel_id, lambda: _delete(request, keeping))

    grant = publish_grant(request, channel_id)
    return await once(request, grant, None, broker.channels.partition(channel_id), act)


async def _delete(request: Request, keeping: Keeping) -> Answer:
    grant, channel = await require_publish(request, request.path_params["channel_id"])
    cursor, keep = _cursor(request), keeping.of(DONE)
    await broker_of(request).log.delete(channel, cursor, grant.subject, admin=grant.is_admin, keep=keep)
    return DONE


async def get_replies(request: Request) -> Response:
    """The direct replies to an event, by id; none for an id that names nothing."""
    return await _related(request, whole_thread=False)


async def get_thread(request: Request) -> Response:
    """All descendants of an event, by id; none for an id that names nothing."""
    return await _related(request, whole_thread=True)


async def _related(request: Request, *, whole_thread: bool) -> Response:
    channel_id = request.path_params["channel_id"]
    log = broker_of(request).log
    await require_read(request, channel_id)
    try:
        cursor = _cursor(request)
    except NotFound:
        return json_bytes(b'{"events":[]}')
    frames = await read_of_now(request, lambda channel: log.replies(channel, cursor, whole_thread=whole_thread))
    return json_bytes(b'{"events":[%b]}' % b",".join([frame.wire for frame in frames]))


def _cursor(request: Request) -> Cursor:
    try:
        return parse_ulid(request.path_params["event_id"])
    except Invalid:
        raise NotFound(NO_EVENT) from None
