"""One event: get, delete, its replies and its thread (contract sections 1 and 13)."""

from starlette.requests import Request
from starlette.responses import Response

from broker.channels import ChannelRecord
from broker.errors import Invalid, NotFound
from broker.ids import Position, parse_ulid
from broker.storage.log import NO_EVENT
from handlers.auth import require_publish, require_read
from handlers.broker import broker_of
from handlers.responses import json_bytes, no_content


async def get_event(request: Request) -> Response:
    """One event by its id; 404 for an id of another channel, or none at all."""
    channel, _ = await require_read(request, request.path_params["channel_id"])
    event = await broker_of(request).log.get(channel, _position(channel, request))
    return json_bytes(event.wire)


async def delete_event(request: Request) -> Response:
    """Delete an event for its publisher or an admin; it is gone at every door when this answers."""
    grant, channel = await require_publish(request, request.path_params["channel_id"])
    position = _position(channel, request)
    await broker_of(request).log.delete(channel, position, grant.subject, admin=grant.is_admin)
    return no_content()


async def get_replies(request: Request) -> Response:
    """The direct replies to an event, by id; none for an id that names nothing."""
    return await _related(request, whole_thread=False)


async def get_thread(request: Request) -> Response:
    """All descendants of an event, by id; none for an id that names nothing."""
    return await _related(request, whole_thread=True)


async def _related(request: Request, *, whole_thread: bool) -> Response:
    channel, _ = await require_read(request, request.path_params["channel_id"])
    try:
        position = _position(channel, request)
    except NotFound:
        return json_bytes(b'{"events":[]}')
    frames = await broker_of(request).log.replies(channel, position, whole_thread=whole_thread)
    return json_bytes(b'{"events":[%b]}' % b",".join([frame.wire for frame in frames]))


def _position(channel: ChannelRecord, request: Request) -> Position:
    try:
        cursor = parse_ulid(request.path_params["event_id"])
    except Invalid:
        raise NotFound(NO_EVENT) from None
    if cursor.tag != channel.tag:
        raise NotFound(NO_EVENT)
    return cursor.position
